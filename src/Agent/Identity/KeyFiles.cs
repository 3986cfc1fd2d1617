using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Agent.Identity;

/// <summary>Files of keys, certificates and tokens: whole or not at all, and readable by their owner alone from the first moment.</summary>
public static class KeyFiles
{
    /// <summary>Certificates too: whoever can replace the authority's file decides who is trusted.</summary>
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>For certificates and tokens: the next takes the place of the one before.</summary>
    public static void Write(string file, string text) => Put(file, text, over: true);

    /// <summary>For keys: one that is there is never written over.</summary>
    /// <exception cref="IdentityException">There is one.</exception>
    public static void Create(string file, string text)
    {
        if (File.Exists(file))
        {
            throw new IdentityException($"{Path.GetDirectoryName(file)} has a {Path.GetFileName(file)} already; nothing was changed.");
        }
        Put(file, text, over: false);
    }

    static void Put(string file, string text, bool over)
    {
        var fresh = file + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        using (var stream = new FileStream(fresh, options))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(fresh, file, over);
    }

    /// <summary>A directory for keys; one that is there keeps what it has.</summary>
    public static void MakeDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    /// <summary>What <paramref name="read"/> makes of the files; a missing or broken one is refused with the directory's name.</summary>
    /// <param name="maker">The command that makes them, if there is one.</param>
    /// <exception cref="IdentityException">With what is wrong.</exception>
    public static T Read<T>(string directory, string what, Func<T> read, string? maker = null)
    {
        ArgumentNullException.ThrowIfNull(read);
        var advice = maker is null ? "" : $" {maker} makes one.";
        try
        {
            return read();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IdentityException($"{directory} has no {what}: {Path.GetFileName((missing as FileNotFoundException)?.FileName) ?? directory} is not there.{advice}", missing);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException) // the latter where key and certificate are no pair
        {
            throw new IdentityException($"{directory} has no {what} that can be read: {broken.Message}{advice}", broken);
        }
    }
}

/// <summary>A certificate that is not there or not good: its reader's message is for the operator.</summary>
public sealed class IdentityException(string message, Exception? inner = null) : Exception(message, inner);
