using System.Text.Json;

namespace ControlPlane.Api.Tests;

/// <summary>Moving a VM from the command line: the report beforehand, the watch, and how it ends.</summary>
public sealed class CliTestsMigration
{
    const string Begun = """{"id":"op-1","kind":"vm.migrate","state":"running","migration":"web-1~3"}""";
    const string Begin = "POST /v1/vms/web-1/migrations";
    const string Show = "GET /v1/migrations/web-1~3";

    [Fact]
    public async Task A_dry_run_shows_every_refusal_and_ends_with_one()
    {
        await using var stub = await CliStub.Start();
        stub.On(Begin, 200, """
            {"dryRun":true,"possible":false,"wouldStore":[],"refusals":[
              {"status":503,"code":"host.offline","detail":"Host hv02 has no session.","state":"offline"},
              {"status":409,"code":"migration.switch.absent","detail":"Host hv02 has no switch vsw0, which NIC eth0 is on.","rule":"switch.md 4.6"}]}
            """);
        var run = await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--dry-run");
        Assert.Equal((1, ""), (run.Exit, run.Error));
        Assert.Contains("host.offline", run.Out);
        Assert.Contains("which NIC eth0 is on", run.Out);
        var json = await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--dry-run", "-o", "json");
        Assert.Equal(1, json.Exit);
        Assert.Equal(2, JsonDocument.Parse(json.Out).RootElement.GetProperty("refusals").GetArrayLength());
    }

    [Fact]
    public async Task A_dry_run_that_nothing_stands_against_ends_with_zero()
    {
        await using var stub = await CliStub.Start();
        stub.On(Begin, 200, """{"dryRun":true,"possible":true,"refusals":[],"wouldStore":["VmMigrationStarted"]}""");
        var run = await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--dry-run");
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Contains("may be moved", run.Out);
    }

    [Fact]
    public async Task Without_watching_the_end_of_the_operation_is_waited_for()
    {
        await using var stub = await CliStub.Start();
        stub.On(Begin, 200, """{"id":"op-1","state":"refused","problem":{"status":409,"code":"oid.refused","title":"No","detail":"filter.quota refused"}}""");
        var run = await stub.Run("vm", "migrate", "web-1", "--to", "hv02");
        Assert.Equal((1, ""), (run.Exit, run.Out));
        Assert.Contains("filter.quota refused", run.Error);
    }

    [Fact]
    public async Task A_watch_follows_the_migration_to_its_end_and_shows_nothing_before_where_nobody_looks()
    {
        await using var stub = await CliStub.Start();
        var run = await Watched(stub, terminal: false, Stages());
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Matches("state +completed", run.Out);
        Assert.Matches("certificate.blackoutMs +12.5", run.Out);
        Assert.Equal(4, stub.Asked.Count); // the change, and three looks
    }

    [Fact]
    public async Task A_watch_on_a_terminal_has_a_bar_for_each_nic_on_standard_error()
    {
        await using var stub = await CliStub.Start();
        var run = await Watched(stub, terminal: true, Stages());
        Assert.Equal(0, run.Exit);
        Assert.Contains("eth0", run.Error);
        Assert.Contains("eth1", run.Error);
        Assert.Contains("M13 completed", run.Error);
    }

    [Fact]
    public async Task A_watched_migration_that_goes_back_is_told_like_any_refusal()
    {
        await using var stub = await CliStub.Start();
        var run = await Watched(stub, terminal: false, ["""
            {"id":"web-1~3","state":"rolledBack","stage":"M6","ended":"2026-01-01T00:00:01.000000Z","nics":[],
             "problem":{"status":409,"code":"nic.save.failed","title":"No","detail":"The extension failed NIC_SAVE."}}
            """]);
        Assert.Equal(1, run.Exit);
        Assert.Matches("state +rolledBack", run.Out);
        Assert.Contains("nic.save.failed (409)", run.Error);
    }

    [Fact]
    public async Task A_watch_ends_with_four_when_its_wait_is_up_and_says_where_to_look()
    {
        await using var stub = await CliStub.Start();
        stub.On(Begin, 202, Begun).On(Show, 200, Stages()[0]);
        var run = await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--watch", "--wait", "300ms");
        Assert.Equal((4, ""), (run.Exit, run.Out));
        Assert.Contains("cpctl migration show web-1~3", run.Error);
    }

    [Fact]
    public async Task A_watch_finds_the_migration_by_the_operation_if_the_answer_does_not_name_it()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/operations/op-1", 200, Begun).On(Show, 200, Stages()[^1])
            .On(Begin, 202, """{"id":"op-1","state":"running"}""", ("Location", "/v1/operations/op-1"));
        Assert.Equal(0, (await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--watch")).Exit);
    }

    [Fact]
    public async Task A_watch_waits_for_a_migration_that_has_not_begun_yet()
    {
        await using var stub = await CliStub.Start();
        var asked = 0;
        stub.On(Begin, 202, Begun, ("Location", "/v1/operations/op-1")).On(Show, context => asked++ == 0
            ? CliStub.Json(context, 404, """{"status":404,"code":"migration.absent","title":"Not there"}""")
            : CliStub.Json(context, 200, Stages()[^1]));
        Assert.Equal(0, (await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--watch")).Exit);
    }

    [Fact]
    public async Task A_watch_that_is_refused_or_loses_the_server_says_so()
    {
        await using var stub = await CliStub.Start();
        stub.On(Begin, 409, """{"status":409,"code":"vm.migrate.migrating","title":"No","detail":"The VM is being moved."}""");
        var refused = await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--watch");
        Assert.Equal(1, refused.Exit);
        Assert.Contains("vm.migrate.migrating", refused.Error);
        stub.On(Begin, 202, Begun).On(Show, 503, """{"status":503,"code":"node.busy","title":"Busy"}""");
        var lost = await stub.Run("vm", "migrate", "web-1", "--to", "hv02", "--watch");
        Assert.Equal(3, lost.Exit);
        Assert.Contains("the migration goes on", lost.Error);
    }

    [Fact]
    public async Task A_shown_migration_counts_the_steps_for_people_and_is_whole_for_programs()
    {
        await using var stub = await CliStub.Start();
        stub.On(Show, 200, Stages()[0]);
        var run = await stub.Run("migration", "show", "web-1~3");
        Assert.Contains("nicDrain at the source", run.Out);
        Assert.DoesNotContain("{", run.Out);
        var json = JsonDocument.Parse((await stub.Run("migration", "show", "web-1~3", "-o", "json")).Out).RootElement;
        Assert.Equal("nicDrain", json.GetProperty("nics")[0].GetProperty("remaining")[0].GetProperty("step").GetString());
    }

    [Theory]
    [InlineData("vm migrate web-1")]
    [InlineData("vm migrate web-1 --to hv02 --watch --no-wait")]
    [InlineData("vm migrate web-1 --to hv02 --watch --dry-run")]
    [InlineData("vm migrate web-1 --to hv02 --deadline 0")]
    [InlineData("vm migrate web-1 --to hv02 --guest me")]
    [InlineData("migration guest web-1~1 asleep")]
    [InlineData("migration show web-1/1")]
    public async Task A_line_that_makes_no_sense_is_refused_before_anybody_is_asked(string line)
    {
        await using var stub = await CliStub.Start();
        Assert.Equal(2, (await stub.Run(line.Split(' '))).Exit);
        Assert.Empty(stub.Asked);
    }

    static string[] Stages() =>
    [
        """
        {"id":"web-1~3","state":"sourceSaved","stage":"M6","group":{"done":[],"remaining":[]},"nics":[
          {"name":"eth0","done":[{"step":"checkNic","side":"source"}],"remaining":[{"step":"nicDrain","side":"source"},{"step":"nicDelete","side":"source"}]},
          {"name":"eth1","done":[],"remaining":[]}]}
        """,
        """{"id":"web-1~3","state":"destActivated","stage":"M9","nics":[{"name":"eth0","done":[],"remaining":[]},{"name":"eth1","done":[],"remaining":[]}]}""",
        """
        {"id":"web-1~3","state":"completed","stage":"M13","ended":"2026-01-01T00:00:01.000000Z","certificate":{"moved":true,"blackoutMs":12.5},
         "nics":[{"name":"eth0","done":[],"remaining":[]},{"name":"eth1","done":[],"remaining":[]}]}
        """,
    ];

    /// <summary>One look after the other is answered with the next of these.</summary>
    static Task<CliRun> Watched(CliStub stub, bool terminal, string[] looks)
    {
        var at = 0;
        stub.On(Begin, 202, Begun, ("Location", "/v1/operations/op-1"))
            .On(Show, context => CliStub.Json(context, 200, looks[Math.Min(at++, looks.Length - 1)]));
        return CliRun.Of(["--server", stub.Url, "vm", "migrate", "web-1", "--to", "hv02", "--watch"], world => world with { Terminal = terminal, Canvas = terminal });
    }
}
