using System.Text;
using System.Text.Json;

namespace ControlPlane.DriverLinux;

/// <summary>Small files that are either the old one or the new one, also after a power cut.</summary>
static class StateFile
{
    static readonly JsonSerializerOptions Json = new() { WriteIndented = false };

    /// <summary>A file that must survive the machine is synced; one about devices, which do not, need not be.</summary>
    public static void Write<T>(string path, T content, bool durable) =>
        WriteText(path, JsonSerializer.Serialize(content, Json), durable);

    public static void WriteText(string path, string text, bool durable)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: durable);
        }

        File.Move(temporary, path, overwrite: true);
        if (durable)
        {
            var parent = Path.GetDirectoryName(Path.GetFullPath(path))!;
            using var directory = Libc.OpenOrThrow(parent, Libc.ReadOnly | Libc.Directory);
            Libc.Check(Libc.Sync(directory), "sync the directory of " + Path.GetFileName(path));
        }
    }

    /// <summary>Null when it is missing or cannot be read as what it should be.</summary>
    public static T? Read<T>(string path)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Json);
        }
        catch (Exception error) when (error is FileNotFoundException or JsonException)
        {
            return null;
        }
    }
}
