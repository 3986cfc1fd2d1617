using System.Text.Json;
using Spectre.Console;

namespace ControlPlane.Cli.Output;

/// <summary>
/// Rows for people. The columns named for a resource come first choice; one that no row fills is left out, and if none
/// fits, every plain field becomes a column: an older cpctl still shows a newer server's answer.
/// </summary>
sealed class TableText(Surroundings world)
{
    const int WidthOfAPipe = 100_000;
    const int CellCharactersMax = 200;

    public void Rows(IReadOnlyList<JsonElement> rows, IReadOnlyList<string> wanted, bool header = true)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var columns = wanted.Where(path => rows.Any(row => At(row, path) is { } cell && Cell(cell).Length > 0)).ToArray();
        columns = columns.Length > 0 ? columns : PlainFields(rows);
        var table = new Table { Border = TableBorder.None, ShowHeaders = header, Expand = false };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(Heading(column), new Style(decoration: Decoration.Bold))) { Padding = new Padding(0, 0, 2, 0), NoWrap = !world.Terminal });
        }

        foreach (var row in rows)
        {
            table.AddRow(columns.Select(column => new Text(At(row, column) is { } cell ? Cell(cell) : "")));
        }

        Write(table);
    }

    /// <summary>One thing: its plain fields as lines, then each list inside it as a table of its own.</summary>
    public void Fields(JsonElement thing, string? etag = null)
    {
        var lines = new List<(string Name, string Value)>();
        var lists = new List<(string Name, JsonElement Items)>();
        Collect(thing, "", lines, lists);
        if (etag is not null)
        {
            lines.Add(("etag", Visible.Of(etag)));
        }

        var grid = new Grid { Expand = false };
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 2, 0), NoWrap = true });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0), NoWrap = !world.Terminal });
        foreach (var (name, value) in lines)
        {
            grid.AddRow(new Text(name), new Text(value));
        }

        Write(grid);
        foreach (var (name, items) in lists)
        {
            world.Out.WriteLine();
            world.Out.WriteLine($"{Visible.Of(name)}:");
            Rows([.. items.EnumerateArray()], []);
        }
    }

    /// <summary>A cell: text as it is, anything deeper as one line of JSON, both made safe and cut to a bearable length.</summary>
    public static string Cell(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => "",
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Array when value.EnumerateArray().All(IsPlain) => string.Join(", ", value.EnumerateArray().Select(Cell)),
            JsonValueKind.Object or JsonValueKind.Array => JsonText.Line(value),
            _ => value.GetRawText(),
        };
        return Visible.Of(text.Length > CellCharactersMax ? string.Concat(text.AsSpan(0, CellCharactersMax), "…") : text);
    }

    static void Collect(JsonElement thing, string prefix, List<(string, string)> lines, List<(string, JsonElement)> lists)
    {
        foreach (var property in thing.EnumerateObject())
        {
            var name = prefix + property.Name;
            if (property.Value.ValueKind is JsonValueKind.Object)
            {
                Collect(property.Value, name + ".", lines, lists);
            }
            else if (property.Value.ValueKind is JsonValueKind.Array && !property.Value.EnumerateArray().All(IsPlain))
            {
                lists.Add((name, property.Value));
            }
            else
            {
                lines.Add((Visible.Of(name), Cell(property.Value)));
            }
        }
    }

    static string[] PlainFields(IReadOnlyList<JsonElement> rows) =>
        [.. rows.Where(row => row.ValueKind is JsonValueKind.Object)
            .SelectMany(row => row.EnumerateObject())
            .Select(property => property.Name)
            .Distinct()];

    static JsonElement? At(JsonElement row, string path)
    {
        var here = row;
        foreach (var step in path.Split('.'))
        {
            if (here.ValueKind is not JsonValueKind.Object || !here.TryGetProperty(step, out here))
            {
                return null;
            }
        }

        return here;
    }

    static string Heading(string path) => Visible.Of(path[(path.LastIndexOf('.') + 1)..]).ToUpperInvariant();

    static bool IsPlain(JsonElement value) => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);

    // Piped output is never wrapped: a script reads one row as one line.
    void Write(Spectre.Console.Rendering.IRenderable content)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = world.Terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = world.Terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = world.Terminal ? AnsiConsole.Profile.Width : WidthOfAPipe;
        console.Write(content);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            world.Out.WriteLine(line.TrimEnd());
        }
    }
}
