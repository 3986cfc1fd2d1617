using System.CommandLine;
using System.CommandLine.Parsing;

namespace ControlPlane.Cli.Commands;

/// <summary>Resources named on the command line as in the API, parts divided by slashes: HOST/SWITCH/PORT.</summary>
static class Names
{
    /// <summary>An argument with as many parts as its name has. Whether the names exist, or are legal, is the server's to say.</summary>
    public static Argument<string[]> Argument(string shape) => new(shape)
    {
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result => Parse(result, shape),
    };

    static string[]? Parse(ArgumentResult result, string shape)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        var parts = text.Split('/');

        // Dot segments would leave the path of the resource before the server saw them.
        if (parts.Length != shape.Split('/').Length || parts.Any(part => part is "" or "." or ".."))
        {
            result.AddError($"'{text}' is not of the form {shape}");
            return null;
        }

        return parts;
    }
}
