using ControlPlane.Host.Engine.Journal;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Journal.Tests;

/// <summary>A folder that is gone after the test.</summary>
sealed class Scratch : TestStore
{
    readonly Lazy<JournalFile> _file;
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("journal-");

    public Scratch() => _file = new Lazy<JournalFile>(Open);

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public JournalFile Open() => JournalFile.Open(Path("journal.db"));

    public override Task<JournalNode> Start(JournalLimits? limits = null, Faults? faults = null, string hocon = "") =>
        JournalNode.Start(_file.Value, limits, faults, hocon);

    public override SqliteConnection Connect() => Connect("journal.db");

    public override void Check() => Assert.Equal("ok", Scalar("PRAGMA integrity_check"));

    public SqliteConnection Connect(string name)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path(name), Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    public object? Scalar(string sql, string name)
    {
        using var connection = Connect(name);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    public override void Dispose()
    {
        if (_file.IsValueCreated)
        {
            _file.Value.Dispose();
        }

        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
