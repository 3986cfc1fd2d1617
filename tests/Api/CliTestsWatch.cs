using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Tests;

/// <summary>The stream of events: taken up again after a break, ended by a refusal or by the person.</summary>
public sealed class CliTestsWatch
{
    [Fact]
    public async Task A_broken_stream_is_taken_up_again_after_the_last_event_seen()
    {
        await using var stub = await CliStub.Start();
        var connection = 0;
        stub.On("GET /v1/watch", async context =>
        {
            var last = context.Request.Headers["Last-Event-ID"].ToString();
            var from = last.Length > 0 ? int.Parse(last[1..]) : 0;
            await Event(context, from + 1);
            await Event(context, from + 2);
            if (++connection == 2)
            {
                context.Abort(); // What was sent and not yet read is lost with the connection.
            }
        });
        var run = await stub.Run("watch", "vm/web-1", "--type", "VmStarted", "--after", "c0", "--count", "5", "--output", "json");
        Assert.Equal(0, run.Exit);
        var seen = run.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("sequence").GetString());
        Assert.Equal(["1", "2", "3", "4", "5"], seen);
        Assert.Null(stub.Asked.First().Header("Last-Event-ID"));
        Assert.Equal("c4", stub.Asked.Last().Header("Last-Event-ID"));
        Assert.Equal("/v1/watch?actor=vm%2Fweb-1&type=VmStarted&after=c0", stub.Asked.First().Target);
        Assert.Equal("/v1/watch?actor=vm%2Fweb-1&type=VmStarted", stub.Asked.Last().Target);
        Assert.All(stub.Asked, asked => Assert.Equal("text/event-stream", asked.Header("Accept")));
    }

    [Fact]
    public async Task A_server_that_restarts_is_waited_for()
    {
        await using var stub = await CliStub.Start();
        var connection = 0;
        stub.On("GET /v1/watch", context => ++connection is 2 ? CliStub.Json(context, 503, "") : Event(context, connection));
        var run = await stub.Run("watch", "--count", "2");
        Assert.Equal(0, run.Exit);
        Assert.Equal(3, stub.Asked.Count);
        Assert.Contains("NicConnected", run.Out);
    }

    [Fact]
    public async Task A_cursor_from_before_the_retention_ends_the_watch_with_one()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/watch", 410, """{"status":410,"code":"watch.gone","title":"Before retention"}""");
        var run = await stub.Run("watch", "--after", "c0");
        Assert.Equal(1, run.Exit);
        Assert.Contains("watch.gone", run.Error);
    }

    [Fact]
    public async Task A_cursor_that_expires_during_a_break_ends_the_watch_with_one()
    {
        await using var stub = await CliStub.Start();
        var connection = 0;
        stub.On("GET /v1/watch", context => ++connection is 1 ? Event(context, 1) : CliStub.Json(context, 410, """{"code":"watch.gone"}"""));
        Assert.Equal(1, (await stub.Run("watch")).Exit);
    }

    [Fact]
    public async Task The_person_ends_a_watch_with_zero()
    {
        await using var stub = await CliStub.Start();
        using var stop = new CancellationTokenSource();
        stub.On("GET /v1/watch", async context =>
        {
            await Event(context, 1);
            stop.Cancel();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var run = await CliRun.Of(["--server", stub.Url, "watch"], world => world, stop.Token);
        Assert.Equal(0, run.Exit);
    }

    static async Task Event(HttpContext context, int number)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "text/event-stream";
        }

        await context.Response.WriteAsync(
            ": still here\n\n" +
            $$"""id: c{{number}}{{"\n"}}data: {"actor":"nic/web-1/eth0","sequence":"{{number}}","type":"NicConnected"}{{"\n\n"}}""");
        await context.Response.Body.FlushAsync();
    }
}
