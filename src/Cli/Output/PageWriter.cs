using System.Text;
using System.Text.Json;

namespace ControlPlane.Cli.Output;

/// <summary>
/// Prints a list page by page as one document, so that the events of a year need no more memory than one page. What was
/// begun is closed also after a failure: what is printed stays well-formed.
/// </summary>
sealed class PageWriter(Surroundings world, Printer printer, IReadOnlyList<string> columns)
{
    int _items;

    public void Write(IReadOnlyList<JsonElement> items)
    {
        switch (printer.Format)
        {
            case Format.Table:
                printer.Rows(items, columns, header: _items == 0);
                break;
            case Format.Json:
                foreach (var item in items)
                {
                    world.Out.Write(_items == 0 ? "{\n  \"items\": [\n" : ",\n");
                    world.Out.Write("    " + JsonText.Indented(item).Replace("\n", "\n    ", StringComparison.Ordinal));
                    _items++;
                }

                return;
            case Format.Yaml:
                foreach (var item in items)
                {
                    world.Out.Write(_items++ == 0 ? "items:\n" : "");
                    world.Out.WriteLine(new StringBuilder("  - ").Append(YamlText.Of(item).Replace("\n", "\n    ", StringComparison.Ordinal)));
                }

                return;
        }

        _items += items.Count;
    }

    public void Close()
    {
        switch (printer.Format)
        {
            case Format.Json:
                world.Out.WriteLine(_items == 0 ? "{\n  \"items\": []\n}" : "\n  ]\n}");
                break;
            case Format.Yaml when _items == 0:
                world.Out.WriteLine("items: []");
                break;
        }
    }
}
