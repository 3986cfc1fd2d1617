using ControlPlane.Actors.Projections;
using ControlPlane.Host.Projections;
using ControlPlane.Messages;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Api.Tests;

/// <summary>The file of the read tables, without a running process.</summary>
public sealed class ReadTablesTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cp-").FullName;

    string File => Path.Combine(_folder, "read.db");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void The_alarm_of_a_stopped_view_outlives_what_the_view_says()
    {
        var database = new SqliteReadDatabase(File, 7, NullLogger<SqliteReadDatabase>.Instance);
        using var writer = new TableWriter(database);
        Assert.True(writer.Begin(default));
        writer.Stop(new JournalRow(FeedPosition.OfOrdering(7), "vm/web-1", 3, 0, "", []), "not to be read");

        writer.Alarms(EntityView.New(EntityId.Vm("web-1")));
        writer.Commit(FeedPosition.OfOrdering(7));

        Assert.Equal("view.stopped", Assert.Single(new ReadTables(database).Alarms(null, 10)).Code);
    }

    [Theory]
    [InlineData(6, 0)]
    [InlineData(7, 7)]
    public void Tables_that_show_more_than_the_journal_has_are_built_again(long head, long position)
    {
        using (var writer = new TableWriter(new SqliteReadDatabase(File, 7, NullLogger<SqliteReadDatabase>.Instance)))
        {
            Assert.True(writer.Begin(default));
            writer.Commit(FeedPosition.OfOrdering(7));
        }

        using var again = new TableWriter(new SqliteReadDatabase(File, head, NullLogger<SqliteReadDatabase>.Instance));

        Assert.Equal(position, again.Position().Number);
    }
}
