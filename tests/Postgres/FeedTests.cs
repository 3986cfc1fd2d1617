using ControlPlane.Actors.Entities;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Projections.Postgres;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ControlPlane.Postgres.Tests;

/// <summary>What is stored becomes visible once, whole and in an order, whatever transactions do.</summary>
[Collection(OnSharedServer.Name)]
public sealed class FeedTests : IDisposable
{
    readonly PostgresServer _server;
    readonly string _database;
    readonly PostgresStore _store;
    readonly PostgresSource _source;
    readonly PostgresJournalReader _reader;

    public FeedTests(SharedServer shared)
    {
        _server = shared.Server;
        _database = shared.NewDatabase();
        _store = new PostgresStore(_server, _database);
        _source = _store.Open();
        _reader = new PostgresJournalReader(_source);
    }

    public void Dispose() => _store.Dispose();

    [PostgresFact]
    public void Rows_of_a_transaction_that_stays_open_while_others_commit_are_not_skipped()
    {
        using var slow = _server.Connect(_database);
        using var open = slow.BeginTransaction();
        Insert(slow, "vm/slow", 1);
        for (var n = 1; n <= 5; n++)
        {
            Insert("vm/quick", n);
        }

        // Later numbers are visible and an earlier one is not: all of them wait.
        Assert.Empty(_reader.After(default, 100));

        Insert(slow, "vm/slow", 2);
        open.Commit();
        var all = _reader.After(default, 100);
        Assert.Equal(["vm/slow 1", "vm/slow 2", "vm/quick 1", "vm/quick 2", "vm/quick 3", "vm/quick 4", "vm/quick 5"], all.Select(Name));
        Assert.Equal([1L, 2, 3, 4, 5, 6, 7], all.Select(row => row.At.Number));
    }

    [PostgresFact]
    public void Identities_that_were_never_used_hold_nobody_up()
    {
        Insert("vm/1", 1);
        using (var failed = _server.Connect(_database))
        {
            using var undone = failed.BeginTransaction();
            for (var n = 1; n <= 50; n++)
            {
                Insert(failed, "vm/burned", n);
            }
            undone.Rollback();
        }
        Insert("vm/1", 2);

        var rows = _reader.After(default, 100);

        Assert.Equal(["vm/1 1", "vm/1 2"], rows.Select(Name));
        Assert.True(rows[1].At.Place.Ordering > rows[0].At.Place.Ordering + 49);
        Assert.Equal(2, rows[1].At.Number);
        Assert.Equal(2, _reader.Head(default));
    }

    [PostgresFact]
    public async Task A_reader_that_follows_many_writers_sees_every_row_once_and_the_same_order_as_one_that_comes_later()
    {
        const int writers = 8;
        const int transactions = 40;
        using var over = new CancellationTokenSource();
        var seen = new List<JournalRow>();
        var follower = Task.Run(() =>
        {
            var at = default(FeedPosition);
            while (!over.IsCancellationRequested || seen.Count < writers * transactions * 2)
            {
                var rows = _reader.After(at, 7);
                seen.AddRange(rows);
                at = rows.Count > 0 ? rows[^1].At : at;
            }
        });

        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() =>
        {
            var luck = new Random(writer);
            using var connection = _server.Connect(_database);
            for (var n = 0; n < transactions; n++)
            {
                using var transaction = connection.BeginTransaction();
                Insert(connection, $"vm/{writer}", (2 * n) + 1);
                Thread.Sleep(luck.Next(4));
                Insert(connection, $"vm/{writer}", (2 * n) + 2);
                transaction.Commit();
            }
        })));
        await over.CancelAsync();
        await follower.WaitAsync(TimeSpan.FromSeconds(60));

        var later = _reader.After(default, 10_000);
        Assert.Equal(writers * transactions * 2, seen.Count);
        Assert.Equal(later.Select(row => (row.At, Name(row))), seen.Select(row => (row.At, Name(row))));
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(n => (long)n), seen.Select(row => row.At.Number));
        Assert.All(seen.GroupBy(row => row.PersistenceId), entity =>
            Assert.Equal(entity.Select(row => row.Sequence).Order(), entity.Select(row => row.Sequence)));
    }

    [PostgresFact]
    public void Tables_and_position_move_together_and_only_for_the_one_whose_turn_it_is()
    {
        var (one, two) = (new PostgresReadDatabase(_source, "one"), new PostgresReadDatabase(_source, "two"));
        Store("web-1", 1);
        using var first = new TableFiller(_reader, one, NullLogger.Instance);
        using var second = new TableFiller(_reader, two, NullLogger.Instance);
        Assert.True(first.Take());
        Assert.False(second.Take());
        Assert.Null(second.Advance(default));

        var filled = first.Advance(default)!;

        Assert.Equal(1, filled.Position.Number);
        Assert.Equal(filled.Position, second.Position());
        Assert.Equal(1, new ReadTables(two).Sequence(EntityId.Vm("web-1")));

        // The first one is frozen until its turn is over; what it has in its hands when it wakes up is not written.
        Store("web-2", 1);
        PostgresServer.Until(second.Take);
        Assert.Equal(2, second.Advance(second.Position())!.Position.Number);
        Store("web-3", 1);
        Assert.Null(first.Advance(filled.Position));
        Assert.False(first.HasTurn);
        Assert.Equal(2, second.Position().Number);
        Assert.Equal(3, second.Advance(second.Position())!.Position.Number);
        Assert.Equal(["1 vm/web-1", "2 vm/web-2", "3 vm/web-3"], Events(one));
    }

    [PostgresFact]
    public void A_turn_that_is_released_is_taken_at_once()
    {
        using var first = new TableFiller(_reader, new PostgresReadDatabase(_source, "one"), NullLogger.Instance);
        using var second = new TableFiller(_reader, new PostgresReadDatabase(_source, "two"), NullLogger.Instance);
        Assert.True(first.Take());
        Assert.False(second.Take());

        first.Release();

        Assert.True(second.Take());
    }

    [PostgresFact]
    public void Tables_that_are_thrown_away_are_filled_with_the_same_numbers_again()
    {
        for (var n = 0; n < 5; n++)
        {
            Store($"web-{n}", 1);
        }
        var database = new PostgresReadDatabase(_source, "one");
        Fill(database);
        var before = Events(database);
        _server.Execute($"DROP SCHEMA {PostgresSchema.ReadTables} CASCADE", _database);

        using var again = _store.Open();

        Fill(new PostgresReadDatabase(again, "two"));
        Assert.Equal(before, Events(new PostgresReadDatabase(again, "two")));
        Assert.Equal(5, before.Count);
    }

    void Fill(IReadDatabase database)
    {
        using var filler = new TableFiller(_reader, database, NullLogger.Instance);
        Assert.True(filler.Take());
        Assert.NotNull(filler.Advance(filler.Position()));
        filler.Release();
    }

    static List<string> Events(IReadDatabase database) =>
        [.. new ReadTables(database).Events(new EventFilter(), 0, 100).Select(happened => $"{happened.Ordering} {happened.Actor}")];

    void Store(string vm, long sequence)
    {
        var happened = StoredEvent.Make(
            EntityId.Vm(vm), sequence, DateTimeOffset.UnixEpoch, "operator:ann", null, "c", null, null, null, [], new VmDefined(new VmDefinition("hv01", [])), StoredEvent.NoHash);
        using var connection = _server.Connect(_database);
        Insert(connection, EntityId.Vm(vm).Text, sequence, happened.Name, StoredJson.Write(happened));
    }

    void Insert(string id, long sequence)
    {
        using var connection = _server.Connect(_database);
        Insert(connection, id, sequence);
    }

    static void Insert(NpgsqlConnection connection, string id, long sequence, string manifest = "", byte[]? message = null)
    {
        using var command = new NpgsqlCommand(
            "INSERT INTO controlplane.journal (created, persistence_id, sequence_number, manifest, message) VALUES (0, $1, $2, $3, $4)", connection)
        {
            Parameters = { new() { Value = id }, new() { Value = sequence }, new() { Value = manifest }, new() { Value = message ?? [] } },
        };
        command.ExecuteNonQuery();
    }

    static string Name(JournalRow row) => $"{row.PersistenceId} {row.Sequence}";
}
