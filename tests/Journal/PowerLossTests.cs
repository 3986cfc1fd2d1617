using System.Diagnostics;
using System.Text.Json;

namespace ControlPlane.Journal.Tests;

/// <summary>
/// What was acknowledged is there after a crash. A killed process shows that nothing acknowledged waits in its memory;
/// the cut log shows that nothing acknowledged waits in what the disk had not yet synced, since whatever a power loss
/// may do to the file, it does behind the last sync; the read-back and the trace show that the writer syncs before it
/// answers.
/// </summary>
public sealed class PowerLossTests : IDisposable
{
    readonly Scratch _scratch = new();
    readonly Random _random = new(20240917);

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Every_acknowledged_event_survives_a_killed_process()
    {
        var acknowledged = new Dictionary<(string Id, long Nr), string>();
        for (var round = 0; round < 5; round++)
        {
            await AppendUntilKilled($"round-{round}", acknowledged);
            Verify(acknowledged);
        }

        Assert.True(acknowledged.Count > 500, $"only {acknowledged.Count} events were acknowledged");
    }

    [Fact]
    public async Task Every_acknowledged_event_survives_a_log_that_is_cut_behind_it()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file);
        var entity = node.Entity("port/1");
        var log = _scratch.Path("journal.db-wal");
        for (var i = 0; i < 20; i++)
        {
            var answer = await JournalNode.Append(entity, [.. Enumerable.Repeat(new Happened($"event {i}"), 1 + _random.Next(5))]);
            var synced = new FileInfo(log).Length;
            await Task.WhenAll(Enumerable.Range(0, 3).Select(other => JournalNode.Append(node.Entity($"other-{i}-{other}"), "later")));
            var later = File.ReadAllBytes(log);
            // No checkpoint yet: the log has only grown, so its first bytes are what the sync wrote.
            Assert.True(later.Length > synced);
            foreach (var kept in new[] { (int)synced, _random.Next((int)synced, later.Length), _random.Next((int)synced, later.Length) })
            {
                var torn = later[..kept];
                Assert.Equal(answer.SequenceNr, HighestAfterLoss(torn));
                byte[] garbage = [.. torn, .. RandomBytes(later.Length - kept)];
                Assert.Equal(answer.SequenceNr, HighestAfterLoss(garbage));
            }
        }
    }

    [Fact]
    public async Task A_log_that_lost_an_acknowledged_frame_would_be_noticed()
    {
        using var file = _scratch.Open();
        await using var node = await JournalNode.Start(file);
        var answer = await JournalNode.Append(node.Entity("port/1"), "1");
        var log = File.ReadAllBytes(_scratch.Path("journal.db-wal"));

        // The counter-test: cut before the acknowledged frame, and the event is gone. So the test above can fail.
        Assert.NotEqual(answer.SequenceNr, HighestAfterLoss(log[..^1]));
    }

    [Fact]
    public async Task The_writers_own_connection_syncs_every_commit()
    {
        using var file = _scratch.Open();
        var seen = new List<string>();
        var faults = new Faults
        {
            OnOpened = writer =>
            {
                foreach (var pragma in new[] { "journal_mode", "synchronous", "busy_timeout" })
                {
                    using var command = writer.CreateCommand();
                    command.CommandText = $"PRAGMA {pragma}";
                    seen.Add($"{pragma}={command.ExecuteScalar()}");
                }
            },
        };
        await using var node = await JournalNode.Start(file, faults: faults);

        Assert.Equal(["journal_mode=wal", "synchronous=2", "busy_timeout=5000"], seen);
    }

    [StraceFact]
    public async Task Every_acknowledgement_follows_a_sync_of_the_log()
    {
        var trace = _scratch.Path("trace");
        var start = new ProcessStartInfo(StraceFactAttribute.Program)
        {
            RedirectStandardOutput = true,
            ArgumentList = { "-f", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", trace, Dotnet },
        };
        Array.ForEach(AppendArguments("round", entities: 1), start.ArgumentList.Add);
        using (var process = Process.Start(start)!)
        {
            for (var lines = 0; lines < 50; lines++)
            {
                Assert.NotNull(await process.StandardOutput.ReadLineAsync());
            }

            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        // One entity, so the order on the way is strict: write the log, sync it, print the acknowledgement.
        var (unsynced, syncs, acknowledged) = (false, 0, 0);
        foreach (var call in File.ReadLines(trace))
        {
            if (call.Contains("pwrite64(", StringComparison.Ordinal) && call.Contains("journal.db-wal", StringComparison.Ordinal))
            {
                unsynced = true;
            }
            else if (call.Contains("sync", StringComparison.Ordinal) && call.EndsWith("= 0", StringComparison.Ordinal))
            {
                (unsynced, syncs) = (false, syncs + 1);
            }
            else if (call.Contains("\"entity-0 ", StringComparison.Ordinal))
            {
                Assert.False(unsynced, $"acknowledged before the sync: {call}");
                acknowledged++;
            }
        }

        Assert.InRange(acknowledged, 50, syncs);
    }

    static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    string[] AppendArguments(string round, int entities) =>
        [typeof(PowerLossTests).Assembly.Location, "append", _scratch.Path("journal.db"), round, $"{entities}"];

    async Task AppendUntilKilled(string round, Dictionary<(string Id, long Nr), string> acknowledged)
    {
        var start = new ProcessStartInfo(Dotnet, AppendArguments(round, entities: 20)) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var lines = 0;
        var killAfter = _random.Next(50, 1_500);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Split(' ') is [var id, var nr, var written] && written == round)
            {
                acknowledged.Add((id, long.Parse(nr, null)), round);
            }

            if (++lines == killAfter)
            {
                process.Kill();
            }
        }

        await process.WaitForExitAsync();
        Assert.True(lines >= killAfter, $"the appending process ended by itself after {lines} lines");
    }

    void Verify(Dictionary<(string Id, long Nr), string> acknowledged)
    {
        using var file = _scratch.Open();
        Assert.Equal("ok", _scratch.Scalar("PRAGMA integrity_check"));
        Assert.Equal(0L, _scratch.Scalar("""
            SELECT count(*) FROM (SELECT 1 FROM journal GROUP BY persistence_id HAVING max(sequence_number) <> count(*))
            """));
        using var connection = _scratch.Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT persistence_id, sequence_number, message FROM journal WHERE persistence_id LIKE 'entity-%'";
        using var rows = command.ExecuteReader();
        var missing = new Dictionary<(string, long), string>(acknowledged);
        while (rows.Read())
        {
            var (id, nr) = (rows.GetString(0), rows.GetInt64(1));
            var text = JsonDocument.Parse(rows.GetFieldValue<byte[]>(2)).RootElement.GetProperty("Text").GetString()!;
            Assert.Equal(Appender.TextOf(id, nr, text.Split('/')[0]), text);
            if (missing.Remove((id, nr), out var round))
            {
                Assert.StartsWith(round, text, StringComparison.Ordinal);
            }
        }

        Assert.Empty(missing);
    }

    long HighestAfterLoss(byte[] log)
    {
        File.Copy(_scratch.Path("journal.db"), _scratch.Path("copy.db"), overwrite: true);
        File.Delete(_scratch.Path("copy.db-shm"));
        File.WriteAllBytes(_scratch.Path("copy.db-wal"), log);
        Assert.Equal("ok", _scratch.Scalar("PRAGMA integrity_check", "copy.db"));
        File.Copy(_scratch.Path("journal.db"), _scratch.Path("copy.db"), overwrite: true);
        File.Delete(_scratch.Path("copy.db-shm"));
        File.WriteAllBytes(_scratch.Path("copy.db-wal"), log);
        return _scratch.Scalar("SELECT max(sequence_number) FROM journal WHERE persistence_id = 'port/1'", "copy.db") as long? ?? 0;
    }

    byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }
}
