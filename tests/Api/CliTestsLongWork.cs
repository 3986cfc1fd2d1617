using System.Text.Json;

namespace ControlPlane.Api.Tests;

/// <summary>Start and stop: the answer may be the end, an operation still running, or a refusal found on the way.</summary>
public sealed class CliTestsLongWork
{
    const string Running = """{"id":"op-1","state":"running"}""";

    [Fact]
    public async Task An_operation_that_ended_within_the_wait_ends_with_zero()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/start", 200, """{"id":"op-1","state":"done"}""");
        var run = await stub.Run("vm", "start", "web-1");
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Matches("state +done", run.Out);
    }

    [Fact]
    public async Task An_operation_that_still_runs_when_the_wait_is_up_ends_with_four_and_is_named()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/stop", 202, Running, ("Location", "/v1/operations/op-1"))
            .On("GET /v1/operations/op-1", 200, Running);
        var run = await stub.Run("vm", "stop", "web-1", "--wait", "300ms");
        Assert.Equal(4, run.Exit);
        Assert.Contains("cpctl operation show op-1", run.Error);
    }

    [Fact]
    public async Task Without_waiting_the_operation_is_printed_and_that_is_success()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/stop", 202, Running, ("Location", "/v1/operations/op-1"));
        var run = await stub.Run("vm", "stop", "web-1", "--no-wait", "--output", "json");
        Assert.Equal(0, run.Exit);
        Assert.Equal("running", JsonDocument.Parse(run.Out).RootElement.GetProperty("state").GetString());
        Assert.Equal("/v1/vms/web-1/stop", stub.Only.Target);
    }

    [Fact]
    public async Task A_server_that_cannot_hold_the_answer_so_long_is_asked_again_until_the_end()
    {
        await using var stub = await CliStub.Start();
        var asked = 0;
        stub.On("POST /v1/vms/web-1/stop", 202, Running, ("Location", "/v1/operations/op-1"))
            .On("GET /v1/operations/op-1", context => CliStub.Json(context, 200, ++asked < 3 ? Running : """{"id":"op-1","state":"done"}"""));
        Assert.Equal(0, (await stub.Run("vm", "stop", "web-1")).Exit);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_refusal_found_on_the_way_is_told_like_any_other()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/start", 200, """
            {"id":"op-1","state":"refused","problem":{"status":409,"code":"oid.refused","title":"An extension refused","detail":"filter.quota: at most 1 port","state":"Created"}}
            """);
        var run = await stub.Run("vm", "start", "web-1");
        Assert.Equal((1, ""), (run.Exit, run.Out));
        Assert.Contains("oid.refused (409)", run.Error);
        Assert.Contains("filter.quota", run.Error);
    }

    [Fact]
    public async Task An_unknown_end_is_neither_success_nor_refusal()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/start", 200, """{"id":"op-1","state":"unknown"}""");
        Assert.Equal(4, (await stub.Run("vm", "start", "web-1")).Exit);
    }

    [Fact]
    public async Task A_vm_in_the_answer_is_not_mistaken_for_an_operation()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/start", 200, """{"name":"web-1","state":"running"}""");
        Assert.Equal(0, (await stub.Run("vm", "start", "web-1")).Exit);
    }

    [Fact]
    public async Task A_location_on_another_server_is_not_followed_there()
    {
        await using var other = await CliStub.Start();
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/stop", 202, Running, ("Location", $"{other.Url}/v1/operations/op-1"))
            .On("GET /v1/operations/op-1", 200, """{"id":"op-1","state":"done"}""");
        Assert.Equal(0, (await stub.Run("vm", "stop", "web-1")).Exit);
        Assert.Empty(other.Asked);
    }
}
