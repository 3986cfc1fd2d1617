namespace ControlPlane.Cli.Output;

/// <summary>The three ways to print: for people, for programs, for files.</summary>
enum Format
{
    Table,
    Json,
    Yaml,
}
