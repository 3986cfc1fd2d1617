using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.DriverLinux;

/// <summary>
/// A small table on disk, one line for each change, so that a change costs the same however many entries there are.
/// Each line carries a checksum over itself and the one before: a line that was changed, moved or torn is seen, and then
/// the file is not whole. It is written anew when most of its lines are history.
/// </summary>
sealed class StateLog<T>
    where T : class
{
    /// <summary>Lines of history beyond the entries before the file is written anew.</summary>
    const int HistoryMax = 1_000;

    static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    static readonly string Start = Checksum("", "start");

    readonly string _path;
    readonly bool _durable;
    readonly Dictionary<string, T> _entries = new(StringComparer.Ordinal);
    string _last = Start;
    int _lines;

    public StateLog(string path, bool durable)
    {
        _path = path;
        _durable = durable;
        Whole = Load();
    }

    /// <summary>False: there is no file, or it is damaged; the entries are those up to the damage.</summary>
    public bool Whole { get; private set; }

    public IReadOnlyDictionary<string, T> Entries => _entries;

    /// <summary>On disk when it returns, if the log is durable. Nothing is changed when it throws.</summary>
    public void Put(string key, T value)
    {
        Append(new Line(key, value));
        _entries[key] = value;
    }

    public void Remove(string key)
    {
        if (_entries.ContainsKey(key))
        {
            Append(new Line(key, null));
            _entries.Remove(key);
        }
    }

    /// <summary>The whole table at once: the file is the old one or the new one.</summary>
    public void Replace(IReadOnlyDictionary<string, T> entries)
    {
        var (text, last) = (new StringBuilder(), Start);
        Write(text, new Line("", null), ref last);
        foreach (var (key, value) in entries.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            Write(text, new Line(key, value), ref last);
        }

        StateFile.WriteText(_path, text.ToString(), _durable);
        if (!ReferenceEquals(entries, _entries))
        {
            _entries.Clear();
            foreach (var (key, value) in entries)
            {
                _entries[key] = value;
            }
        }

        (_last, _lines, Whole) = (last, entries.Count + 1, true);
    }

    void Append(Line line)
    {
        if (!Whole || _lines > (2 * _entries.Count) + HistoryMax)
        {
            Replace(_entries);
        }

        var (text, last) = (new StringBuilder(), _last);
        Write(text, line, ref last);
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.Read);
        var before = file.Seek(0, SeekOrigin.End);
        try
        {
            file.Write(Encoding.UTF8.GetBytes(text.ToString()));
            file.Flush(flushToDisk: _durable);
        }
        catch
        {
            // Half a line would make the file unreadable behind it: it is cut off, or else the next change writes the file anew.
            Whole = false;
            file.SetLength(before);
            Whole = true;
            throw;
        }

        (_last, _lines) = (last, _lines + 1);
    }

    bool Load()
    {
        string text;
        try
        {
            text = File.ReadAllText(_path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }

        foreach (var line in text.Split('\n')[..^1])
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || line[..space] != Checksum(_last, line[(space + 1)..]))
            {
                return false;
            }

            _last = line[..space];
            _lines++;
            Take(JsonSerializer.Deserialize<Line>(line[(space + 1)..], Json)!);
        }

        return _lines > 0 && text.EndsWith('\n');
    }

    void Take(Line line)
    {
        if (line.Value is { } value)
        {
            _entries[line.Key] = value;
        }
        else
        {
            _entries.Remove(line.Key);
        }
    }

    static void Write(StringBuilder text, Line line, ref string last)
    {
        var json = JsonSerializer.Serialize(line, Json);
        last = Checksum(last, json);
        text.Append(last).Append(' ').Append(json).Append('\n');
    }

    static string Checksum(string before, string json) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{before} {json}")))[..16];

    /// <summary>No value: the entry is gone. The first line of a file has no key either.</summary>
    sealed record Line(string Key, T? Value);
}
