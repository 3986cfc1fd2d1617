using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

public sealed class FileTests : IDisposable
{
    readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_file_that_is_open_is_refused_to_a_second_process()
    {
        using var file = _scratch.Open();

        var refused = Assert.Throws<JournalFileException>(_scratch.Open);

        Assert.Contains("in use by another process", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_was_closed_opens_again()
    {
        _scratch.Open().Dispose();
        _scratch.Open().Dispose();
    }

    [Fact]
    public void A_missing_folder_is_made()
    {
        using var file = JournalFile.Open(_scratch.Path("a/b/journal.db"));
        Assert.True(File.Exists(file.Path));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named()
    {
        File.WriteAllText(_scratch.Path("taken"), "");
        var refused = Assert.Throws<JournalFileException>(() => JournalFile.Open(_scratch.Path("taken/journal.db")));
        Assert.Contains("taken/journal.db", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_schema_refuses_to_start_and_frees_the_lock()
    {
        _scratch.Open().Dispose();
        _scratch.Scalar($"PRAGMA user_version = {JournalFile.SchemaVersion + 1}");

        var refused = Assert.Throws<JournalFileException>(_scratch.Open);

        Assert.Contains("Start the newer program", refused.Message, StringComparison.Ordinal);
        _scratch.Scalar($"PRAGMA user_version = {JournalFile.SchemaVersion}");
        _scratch.Open().Dispose();
    }

    [Fact]
    public void The_database_of_another_program_is_refused()
    {
        _scratch.Scalar("PRAGMA application_id = 7");
        Assert.Contains("another program", Assert.Throws<JournalFileException>(_scratch.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused()
    {
        File.WriteAllText(_scratch.Path("journal.db"), new string('x', 5_000));
        Assert.Contains("not a database", Assert.Throws<JournalFileException>(_scratch.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_without_its_unique_key_is_not_written_to()
    {
        using var file = _scratch.Open();
        _scratch.Scalar("""
            CREATE TABLE journal (
                ordering INTEGER PRIMARY KEY AUTOINCREMENT, created BIGINT, deleted BIT, persistence_id TEXT,
                sequence_number BIGINT, message BLOB, manifest TEXT, identifier INTEGER, tags TEXT, writer_uuid TEXT)
            """);
        await using var node = await JournalNode.Start(file, hocon: "akka.persistence.journal.sql.auto-initialize = off");
        await JournalNode.Until(() => !node.Health.IsOpen);
        Assert.Contains("UNIQUE constraint", node.Health.LastFailure?.Reason, StringComparison.Ordinal);
        Assert.Equal(0L, _scratch.Scalar("SELECT count(*) FROM journal"));
    }
}
