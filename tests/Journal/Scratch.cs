using ControlPlane.Host.Engine.Journal;
using Microsoft.Data.Sqlite;

namespace ControlPlane.Journal.Tests;

/// <summary>A folder that is gone after the test.</summary>
sealed class Scratch : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("journal-");

    public string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    public JournalFile Open() => JournalFile.Open(Path("journal.db"));

    public SqliteConnection Connect(string name = "journal.db")
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path(name), Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    public object? Scalar(string sql, string name = "journal.db")
    {
        using var connection = Connect(name);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
