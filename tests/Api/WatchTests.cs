using Microsoft.Data.Sqlite;

namespace ControlPlane.Api.Tests;

public sealed class WatchTests : IAsyncLifetime
{
    readonly RunningControlPlane _plane = new();
    readonly HttpClient _http = new();

    public Task InitializeAsync() => _plane.InitializeAsync();

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _plane.DisposeAsync();
    }

    [Fact]
    public async Task Events_come_as_they_happen_and_a_stream_is_taken_up_where_it_ended()
    {
        using var first = await Open("/v1/watch?type=VmDefined");
        await Define("a");
        await Define("b");
        var seen = await Read(first, 1);
        Assert.Equal("vm/a", seen[0].Actor);

        using var second = await Open("/v1/watch?type=VmDefined", seen[0].Id);
        await Define("c");

        Assert.Equal(["vm/b", "vm/c"], (await Read(second, 2)).Select(happened => happened.Actor));
    }

    [Fact]
    public async Task A_stream_from_the_beginning_has_everything_in_order()
    {
        await Define("a");
        using var stream = await Open("/v1/watch?after=0");
        var all = (await _plane.Get("/v1/events?limit=1000")).Body.GetProperty("items").EnumerateArray().Select(happened => happened.Text("cursor")!).ToList();

        Assert.Equal(all, (await Read(stream, all.Count)).Select(happened => happened.Id));
    }

    [Fact]
    public async Task B65_the_eleventh_stream_of_a_caller_is_refused_until_one_ends()
    {
        var streams = new List<HttpResponseMessage>();
        for (var n = 0; n < 10; n++)
        {
            streams.Add(await Open("/v1/watch"));
            Assert.Equal(200, (int)streams[^1].StatusCode);
        }
        using (var refused = await Open("/v1/watch"))
        {
            Assert.Equal(429, (int)refused.StatusCode);
        }
        streams.ForEach(stream => stream.Dispose());

        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using var again = await Open("/v1/watch");
            if ((int)again.StatusCode == 200)
            {
                break;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20), "the places stay taken");
            await Task.Delay(50);
        }
    }

    [Theory]
    [InlineData("999999999", 410)]
    [InlineData("x", 400)]
    public async Task A_cursor_of_another_history_is_refused(string cursor, int status)
    {
        using var stream = await Open($"/v1/watch?after={cursor}");
        Assert.Equal(status, (int)stream.StatusCode);
    }

    [Fact]
    public async Task A_stop_ends_streams_and_waits_and_a_second_start_continues()
    {
        var sw = await _plane.Switch();
        var vm = await _plane.Vm(sw);
        await _plane.Post($"/v1/vms/{vm}/start?wait=30s");
        await _plane.Post($"/v1/hosts/hv01/switches/{sw}/holds", new { holder = "probe", target = new { portId = 1, nicIndex = 0 } });
        using var stream = await Open("/v1/watch");
        var waiting = _plane.Post($"/v1/vms/{vm}/stop?wait=5m");
        await _plane.Until($"/v1/vms/{vm}", body => body.Text("state") == "stopping");
        var began = TimeProvider.System.GetTimestamp();

        await _plane.Stop();

        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(20), "the stop took too long");
        Assert.Equal(202, (await waiting).Status);
        Assert.Contains("event: reconnect", await stream.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await _plane.Start();
        await _plane.Until($"/v1/nics/{vm}/eth0", body => body.Text("state") == "Disconnected");
        var hold = (await _plane.Get($"/v1/nics/{vm}/eth0")).Body.GetProperty("holds")[0].Text("id");
        Assert.Equal(204, (await _plane.Delete($"/v1/hosts/hv01/switches/{sw}/holds/{hold}")).Status);
        await _plane.Until($"/v1/vms/{vm}", body => body.Text("state") == "stopped");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_tables_that_are_gone_or_damaged_are_built_again_as_they_were(bool damaged)
    {
        var sw = await _plane.Switch();
        var vm = await _plane.Vm(sw);
        var key = Guid.NewGuid();
        var started = await _plane.Post($"/v1/vms/{vm}/start?wait=30s", key: key);
        string[] paths = [$"/v1/vms/{vm}", $"/v1/nics/{vm}/eth0", $"/v1/ports/hv01/{sw}/{vm}--eth0", $"/v1/operations/{key}", $"/v1/vms/{vm}/history"];
        var before = await Task.WhenAll(paths.Select(async path => (await _plane.Get(path)).Body.GetRawText()));
        await _plane.Stop();
        var file = Path.Combine(_plane.Data, "read.db");
        if (damaged)
        {
            await File.WriteAllBytesAsync(file, new byte[8_192]);
        }
        else
        {
            File.Delete(file);
        }

        await _plane.Start();
        await _plane.Until("/readyz", body => body.Text("caughtUp") == "True");

        Assert.Equal(before, await Task.WhenAll(paths.Select(async path => (await _plane.Get(path)).Body.GetRawText())));
        Assert.Equal(started.Body.GetRawText(), (await _plane.Post($"/v1/vms/{vm}/start?wait=30s", key: key)).Body.GetRawText());
    }

    [Fact]
    public async Task An_event_that_no_release_knows_stops_the_view_of_its_entity_alone()
    {
        await Define("ghost");
        await using (var journal = new SqliteConnection($"Data Source={Path.Combine(_plane.Data, "journal.db")};Pooling=False"))
        {
            await journal.OpenAsync();
            await using var insert = journal.CreateCommand();
            insert.CommandText = """
                INSERT INTO journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid)
                SELECT created, 0, persistence_id, sequence_number + 1, message, 'VmHaunted.9', identifier, writer_uuid
                FROM journal WHERE persistence_id = 'vm/ghost'
                """;
            Assert.Equal(1, await insert.ExecuteNonQueryAsync());
        }

        var alarms = await _plane.Until("/v1/alarms", body => body.GetProperty("items").EnumerateArray().Any(alarm => alarm.Text("code") == "view.stopped"));

        Assert.Equal("vm/ghost", alarms.GetProperty("items")[0].Text("actor"));
        Assert.Equal("stopped", (await _plane.Get("/v1/vms/ghost")).Body.Text("state"));
        Assert.Equal("VmHaunted.9", (await _plane.Get("/v1/vms/ghost/history")).Body.GetProperty("items")[1].Text("type"));
        Assert.Equal(201, (await Define("living")).Status);
        Assert.Equal(200, (await _plane.Get("/v1/vms/living")).Status);
    }

    Task<Told> Define(string vm) => _plane.Put($"/v1/vms/{vm}", new { host = "hv01", nics = Array.Empty<object>() });

    Task<HttpResponseMessage> Open(string path, string? lastEventId = null) => Subscriber.Open(_http, _plane, path, lastEventId);

    static Task<List<(string Id, string Actor)>> Read(HttpResponseMessage stream, int count) => Subscriber.Read(stream, count);
}
