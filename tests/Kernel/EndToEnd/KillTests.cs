using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using ControlPlane.Actors.Entities;
using Microsoft.Data.Sqlite;
using Xunit.Abstractions;

namespace ControlPlane.Kernel.Tests.EndToEnd;

/// <summary>SIGKILL at random moments over many starts and stops: nothing acknowledged is lost, nothing happens twice.</summary>
public sealed class KillTests(ITestOutputHelper output) : IAsyncLifetime
{
    const int Operations = 200;
    const int Kills = 30;

    static readonly string[] Vms = ["kill-1", "kill-2", "kill-3", "kill-4"];

    readonly ControlPlaneProcess _plane = new();
    readonly ConcurrentBag<(string Key, string Verb)> _acknowledged = [];
    readonly ConcurrentDictionary<string, string> _last = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _plane.DisposeAsync();

    [RootFact]
    public async Task Thirty_kills_over_two_hundred_starts_and_stops_lose_nothing_and_leave_nothing()
    {
        await _plane.Start();
        foreach (var host in (string[])["hv01", "hv02"])
        {
            await _plane.DefineSwitch(host);
        }
        for (var i = 0; i < Vms.Length; i++)
        {
            await _plane.DefineVm(Vms[i], i % 2 == 0 ? "hv01" : "hv02");
        }

        using var finished = new CancellationTokenSource();
        var workers = Vms.Select(vm => Work(vm, Operations / Vms.Length)).ToArray();
        var kills = await KillAgainAndAgain(Task.WhenAll(workers));
        await Task.WhenAll(workers);

        output.WriteLine($"{kills} kills over {_acknowledged.Count} acknowledged starts and stops");
        Assert.True(kills >= Kills, $"only {kills} kills");
        Assert.Equal(Operations, _acknowledged.Count);
        await EveryAcknowledgedOperationIsThereOnce();
        await KernelAndActorsAgreeAboutWhatRunsAfterAKill("kill-1", "kill-2");
        EveryHistoryIsGapFree();
        EveryHashHoldsAndFollowsTheOneBefore();
        await KernelAndActorsAgreeThatNothingIsLeft();
    }

    /// <summary>Starts and stops one VM in turn, asking again with the same key until the outcome is known.</summary>
    async Task Work(string vm, int operations)
    {
        for (var i = 0; i < operations; i++)
        {
            var verb = i % 2 == 0 ? "start" : "stop";
            var key = Guid.NewGuid().ToString();
            try
            {
                await ControlPlaneProcess.Until(() => Ended(vm, verb, key), $"{verb} of {vm}", TimeSpan.FromSeconds(120));
            }
            catch (Xunit.Sdk.XunitException)
            {
                output.WriteLine($"{verb} {vm} {key}, last answer: {_last.GetValueOrDefault(vm)}");
                output.WriteLine(string.Join('\n', _plane.Log.TakeLast(40)));
                throw;
            }
            _acknowledged.Add((key, verb));
        }
    }

    async Task<bool> Ended(string vm, string verb, string key)
    {
        try
        {
            var (status, body) = await _plane.Send(HttpMethod.Post, $"/v1/vms/{vm}/{verb}?wait=20s", key: key);
            _last[vm] = $"{status} {body}";
            Assert.True(status is 200 or 202 or 503 or 504 or 500, $"{verb} {vm}: {status} {body}");
            if (status == 200)
            {
                Assert.Equal("done", body!["state"]!.ToString());
                return true;
            }
            return false;
        }
        catch (Exception gone) when (gone is HttpRequestException or TaskCanceledException or IOException or ObjectDisposedException or SocketException)
        {
            _last[vm] = gone.Message;
            return false; // killed under our feet: the same key asks again
        }
    }

    async Task<int> KillAgainAndAgain(Task work)
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var kills = 0;
        while (!work.IsCompleted && kills < Kills)
        {
            // At any moment, but not sooner than a few operations after the last kill, so that all find work to break.
            await Task.WhenAny(work, Task.Delay(random.Next(10, 200)));
            if (!work.IsCompleted && _acknowledged.Count >= kills * 4)
            {
                await _plane.Kill();
                kills++;
                await _plane.Start();
            }
        }
        return kills;
    }

    async Task EveryAcknowledgedOperationIsThereOnce()
    {
        foreach (var (key, verb) in _acknowledged)
        {
            var oids = await _plane.CompletedOids(key);
            Assert.Equal(verb == "start"
                ? ["OID_SWITCH_PORT_CREATE", "OID_SWITCH_NIC_CREATE", "OID_SWITCH_NIC_CONNECT"]
                : ["OID_SWITCH_NIC_DISCONNECT", "OID_SWITCH_NIC_DELETE", "OID_SWITCH_PORT_TEARDOWN", "OID_SWITCH_PORT_DELETE"], oids);
        }
    }

    void EveryHistoryIsGapFree()
    {
        using var journal = new SqliteConnection($"Data Source={_plane.JournalFile};Mode=ReadOnly");
        journal.Open();
        using var command = journal.CreateCommand();
        command.CommandText =
            "select persistence_id, count(*), min(sequence_number), max(sequence_number) from journal group by persistence_id";
        using var rows = command.ExecuteReader();
        var entities = 0;
        while (rows.Read())
        {
            entities++;
            Assert.True(rows.GetInt64(2) == 1 && rows.GetInt64(1) == rows.GetInt64(3), $"{rows.GetString(0)} has a gap");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{entities} histories without a gap"));
    }

    void EveryHashHoldsAndFollowsTheOneBefore()
    {
        using var journal = new SqliteConnection($"Data Source={_plane.JournalFile};Mode=ReadOnly");
        journal.Open();
        using var command = journal.CreateCommand();
        command.CommandText =
            "select persistence_id, sequence_number, manifest, message from journal order by persistence_id, sequence_number";
        using var rows = command.ExecuteReader();
        var (entity, previous, count) = ("", StoredEvent.NoHash, 0);
        while (rows.Read())
        {
            if (rows.GetString(0) != entity)
            {
                (entity, previous) = (rows.GetString(0), StoredEvent.NoHash);
            }
            var row = StoredJson.Read(rows.GetString(2), rows.GetFieldValue<byte[]>(3));
            Assert.Equal((entity, rows.GetInt64(1)), (row.Entity.Text, row.Sequence));
            Assert.True(row.HashHolds(), $"{entity} {row.Sequence}: the content is not what was hashed");
            Assert.True(row.PreviousHash.Span.SequenceEqual(previous.Span), $"{entity} {row.Sequence}: does not follow the row before");
            (previous, count) = (row.Hash, count + 1);
        }
        Assert.True(count > Operations, $"only {count} rows");
        output.WriteLine($"{count} hashes hold");
    }

    /// <summary>One VM on each host: started, killed, started again, and both sides say that they are connected.</summary>
    async Task KernelAndActorsAgreeAboutWhatRunsAfterAKill(string first, string second)
    {
        string[] vms = [first, second];
        foreach (var vm in vms)
        {
            await _plane.Run(vm, "start");
        }
        await _plane.Kill();
        await _plane.Start();
        foreach (var (vm, host) in vms.Zip((string[])["hv01", "hv02"]))
        {
            Assert.Equal("running", (await _plane.Get($"/v1/vms/{vm}"))!["state"]!.ToString());
            await ControlPlaneProcess.Until(async () => (bool)(await _plane.Get($"/v1/nics/{vm}/eth0"))!["ready"]!, $"{vm} ready");
            Assert.Equal("Connected", (await _plane.Get($"/v1/nics/{vm}/eth0"))!["state"]!.ToString());
            var device = Assert.Single(_plane.Links(host));
            Assert.Contains("UP", device["flags"]!.AsArray().Select(flag => flag!.ToString()));
            Assert.Contains($"nic/{vm}/eth0", device["ifalias"]!.ToString(), StringComparison.Ordinal);
        }
        var (here, there) = (await _plane.AddressOf(first), await _plane.AddressOf(second));
        await ControlPlaneProcess.Until(() => Task.FromResult(_plane.Ping(first, there) && _plane.Ping(second, here)), "a ping after the kill");
        foreach (var vm in vms)
        {
            await _plane.Run(vm, "stop");
        }
    }

    async Task KernelAndActorsAgreeThatNothingIsLeft()
    {
        foreach (var host in (string[])["hv01", "hv02"])
        {
            Assert.Empty(_plane.Devices(host));
            var ports = await _plane.Get($"/v1/hosts/{host}/switches/vsw0/ports");
            Assert.Empty(ports!["items"]!.AsArray());
        }
        foreach (var vm in Vms)
        {
            Assert.Equal("stopped", (await _plane.Get($"/v1/vms/{vm}"))!["state"]!.ToString());
            Assert.Equal("Absent", (await _plane.Get($"/v1/nics/{vm}/eth0"))!["state"]!.ToString());
        }
        Assert.DoesNotContain($"{_plane.Prefix}vm-", ControlPlaneProcess.Run("ip", "netns", "list"), StringComparison.Ordinal);
        var alarms = await _plane.Get("/v1/alarms");
        Assert.Empty(alarms!["items"]!.AsArray());
    }
}
