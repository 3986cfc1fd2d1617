using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>The journal's file cannot be used; the message says why and the process must not start.</summary>
sealed class JournalFileException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// The SQLite file of one node, opened for the life of the process. Opening checks what must hold before anything is
/// written: the folder is there, no other process has the file, it is ours and not newer than this program, and it is in
/// WAL mode.
/// <para>
/// How the file survives a loss of power. In WAL mode a commit appends its pages and a commit frame to the <c>-wal</c>
/// file; with <c>synchronous=FULL</c> (set on the writer's own connection, as it is a property of the connection)
/// SQLite syncs that file before the commit returns, and only then is the entity told. What a crash leaves behind the
/// last synced frame fails the frame's running checksum and is cut off when the file is opened again. So: everything
/// acknowledged is there, nothing is half there. With NORMAL the sync would be left to the checkpoint and the last
/// acknowledged commits could be lost (https://sqlite.org/pragma.html#pragma_synchronous, https://sqlite.org/wal.html).
/// What is left to the machine: that its disk keeps what it has confirmed as synced.
/// </para>
/// </summary>
sealed class JournalFile : IDisposable
{
    /// <summary>"CPLJ" in the header of the file, so that another program's database is not taken for ours.</summary>
    public const int ApplicationId = 0x43504C4A;

    /// <summary>Raised when the layout of the file changes in a way that an older program would damage.</summary>
    public const int SchemaVersion = 1;

    readonly FileStream _lock;

    JournalFile(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    public string Path { get; }

    /// <exception cref="JournalFileException">In use, foreign, newer than this program, or not to be opened.</exception>
    public static JournalFile Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        var taken = Lock(full);
        try
        {
            Prepare(full);
            return new JournalFile(full, taken);
        }
        catch (SqliteException failure)
        {
            taken.Dispose();
            throw new JournalFileException($"The journal {full} cannot be opened: {failure.Message}", failure);
        }
        catch (JournalFileException)
        {
            taken.Dispose();
            throw;
        }
    }

    public void Dispose() => _lock.Dispose();

    // The lock is a file of its own: SQLite's locks on the database file last only for a transaction.
    static FileStream Lock(string path)
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new JournalFileException($"The folder of the journal {path} cannot be written to.", failure);
        }
        catch (IOException failure)
        {
            throw new JournalFileException(
                $"The journal {path} is in use by another process, or its folder cannot be used: {failure.Message}",
                failure);
        }
    }

    static void Prepare(string path)
    {
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false };
        using var connection = new SqliteConnection(settings.ToString());
        connection.Open();

        var application = Number(connection, "PRAGMA application_id");
        if (application != 0 && application != ApplicationId)
        {
            throw new JournalFileException($"{path} is a database of another program (application id {application}).");
        }

        var version = Number(connection, "PRAGMA user_version");
        if (version > SchemaVersion)
        {
            throw new JournalFileException(
                $"The journal {path} has schema version {version}; this program knows {SchemaVersion}. "
                + "Start the newer program.");
        }

        var mode = Text(connection, "PRAGMA journal_mode = WAL");
        if (mode != "wal")
        {
            throw new JournalFileException($"The journal {path} cannot be put into WAL mode; it stays in '{mode}'.");
        }

        _ = Text(connection, $"PRAGMA application_id = {ApplicationId}");
        _ = Text(connection, $"PRAGMA user_version = {SchemaVersion}");
    }

    static long Number(SqliteConnection connection, string pragma) =>
        long.Parse(Text(connection, pragma), CultureInfo.InvariantCulture);

    static string Text(SqliteConnection connection, string pragma)
    {
        using var command = connection.CreateCommand();
        command.CommandText = pragma;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }
}
