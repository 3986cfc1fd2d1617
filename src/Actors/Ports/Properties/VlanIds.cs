using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>Sets of VLAN ids: the 4096-bit arrays of switch.md 2.1, written as "10,20-30" or as an array of numbers and such texts.</summary>
static class VlanIds
{
    public const int Min = 1;
    public const int Max = 4_094;

    const int TextMax = 8_192;

    /// <summary>Null, with the reader's fault set, when the field is no set of ids; empty when it is not given.</summary>
    public static SortedSet<int>? Read(ValueFields fields, string name)
    {
        var ids = new SortedSet<int>();
        if (fields.Find(name) is not { } value)
        {
            return fields.Fault is null ? ids : null;
        }
        var good = value.ValueKind == JsonValueKind.Array
            ? value.GetArrayLength() <= Max && value.EnumerateArray().All(item => Add(ids, item))
            : Add(ids, value);
        if (good)
        {
            return ids;
        }
        fields.Wrong(name, $"holds ids from {Min} to {Max}, such as \"10,20-30\" or [10, \"20-30\"]");
        return null;
    }

    /// <summary>Ranges in rising order, not touching.</summary>
    public static ImmutableArray<VlanRange> Ranges(IEnumerable<int> ids)
    {
        var ranges = ImmutableArray.CreateBuilder<VlanRange>();
        foreach (var id in ids)
        {
            if (ranges.Count > 0 && ranges[^1].Last == id - 1)
            {
                ranges[^1] = ranges[^1] with { Last = id };
            }
            else
            {
                ranges.Add(new VlanRange(id, id));
            }
        }
        return ranges.ToImmutable();
    }

    static bool Add(SortedSet<int> ids, JsonElement item) => item.ValueKind switch
    {
        JsonValueKind.Number => item.TryGetInt32(out var id) && Add(ids, id, id),
        JsonValueKind.String => item.GetString() is { Length: <= TextMax } text && Add(ids, text),
        _ => false,
    };

    static bool Add(SortedSet<int> ids, string text) => text.Trim().Length == 0 || text.Split(',').All(part =>
    {
        var ends = part.Split('-');
        return ends.Length <= 2 && Id(ends[0]) is { } first && Id(ends[^1]) is { } last && Add(ids, first, last);
    });

    static bool Add(SortedSet<int> ids, int first, int last)
    {
        if (first < Min || last > Max || first > last)
        {
            return false;
        }
        ids.UnionWith(Enumerable.Range(first, last - first + 1));
        return true;
    }

    static int? Id(string text) => int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
}
