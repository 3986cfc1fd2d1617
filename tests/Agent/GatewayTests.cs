using System.Runtime.Versioning;
using ControlPlane.Agent.Link;
using ControlPlane.Agent.Tests.Fakes;
using ControlPlane.Host.Agents;
using ControlPlane.Messages;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Agent.Tests;

public sealed class GatewayTests
{
    [Fact]
    public async Task Command_goes_from_the_bridge_to_the_device_and_its_completion_back()
    {
        await using var node = await NodeRig.Start();
        await using var rig = new AgentRig(node.Link());
        await Eventually.Is(() => rig.Agent.Session == 1, "a session");

        var ensured = await node.Bridges.Issue("hv01", Orders.Switch()).Soon();
        var created = await node.Bridges.Issue("hv01", Orders.Nic(DriverVerb.CreateNic)).Soon();
        var connected = await node.Bridges.Issue("hv01", Orders.Nic(DriverVerb.ConnectNic, revision: 2)).Soon();

        Assert.Equal([NdisStatus.Success, NdisStatus.Success, NdisStatus.Success], [ensured.Status, created.Status, connected.Status]);
        Assert.True(connected.Observed!.Up);
        Assert.Equal(3, rig.Driver.Begun.Count);
    }

    [Fact]
    public async Task Command_that_waits_for_a_session_is_handed_with_its_opening()
    {
        await using var node = await NodeRig.Start();
        var issued = node.Bridges.Issue("hv01", Orders.Switch());
        await using var rig = new AgentRig(node.Link());
        Assert.Equal(NdisStatus.Success, (await issued.Soon()).Status);
        Assert.Equal(0, node.Streams.Health.CommandsDropped);
    }

    [Fact]
    public async Task Command_repeated_by_the_bridge_is_carried_out_once()
    {
        await using var node = await NodeRig.Start();
        await using var rig = new AgentRig(node.Link());
        var command = Orders.Switch();
        rig.Driver.Hold(command.CommandId);
        var issued = node.Bridges.Issue("hv01", command);
        await Eventually.Is(() => rig.Driver.Begun.Count == 1, "the command begins");
        node.Bridges.Retry("hv01");
        node.Bridges.Retry("hv01");
        rig.Driver.LetGo(command.CommandId);
        await issued.Soon();
        Assert.Single(rig.Driver.Begun);
        Assert.Equal(3, node.Streams.Health.CommandsHanded);
    }

    [Fact]
    public async Task Completion_that_the_bridge_could_not_take_is_said_again_when_the_command_comes_again()
    {
        await using var node = await NodeRig.Start();
        await using var rig = new AgentRig(node.Link());
        var refused = 0;
        node.Bridges.InsteadOfBridge = envelope => envelope.Body is ReportCompletion && Interlocked.Increment(ref refused) == 1
            ? new Refusal(RefusalKind.Unavailable, "journal.unavailable", "away")
            : null;
        var issued = node.Bridges.Issue("hv01", Orders.Switch());
        await Eventually.Is(() => Volatile.Read(ref refused) == 1, "the completion is refused");
        await Eventually.Is(() =>
        {
            node.Bridges.Retry("hv01");
            return issued.IsCompleted;
        }, "the completion is stored");
        Assert.Single(rig.Driver.Begun);
    }

    [Fact]
    public async Task Frames_are_stored_and_the_agent_goes_on_from_there()
    {
        await using var node = await NodeRig.Start();
        await using var rig = new AgentRig(node.Link(), AgentRig.Quick with { FramesPerReportMax = 2 });
        await Eventually.Is(() => rig.Agent.Session > 0, "a session");
        for (var i = 0; i < 5; i++)
        {
            rig.Host.AddForeignDevice("prod", $"x{i}");
        }
        await Eventually.Is(() => Recorded(node).Count == 5, "all frames are stored");
        Assert.Equal([1, 2, 3, 4, 5], Recorded(node));
    }

    [Fact]
    public async Task Frames_wait_for_a_bridge_that_cannot_store_them()
    {
        await using var node = await NodeRig.Start();
        var refused = 0;
        node.Bridges.InsteadOfBridge = envelope => envelope.Body is ReportFrames && Interlocked.Increment(ref refused) == 1
            ? new Refusal(RefusalKind.Unavailable, "journal.unavailable", "away")
            : null;
        await using var rig = new AgentRig(node.Link());
        await Eventually.Is(() => rig.Agent.Session > 0, "a session");
        rig.Host.AddForeignDevice("prod", "x1");
        await Eventually.Is(() => Recorded(node).Count == 1, "the frame is stored");
        Assert.Equal(1, rig.Agent.Session);
    }

    [Fact]
    public async Task Gap_in_the_frames_makes_a_new_session()
    {
        await using var node = await NodeRig.Start();
        await using var rig = new AgentRig(node.Link());
        await Eventually.Is(() => rig.Agent.Session == 1, "a session");
        rig.Host.LoseFences();
        await Eventually.Is(() => rig.Agent.Session == 2, "a new session");
        rig.Host.AddForeignDevice("prod", "x1");
        await Eventually.Is(() => Recorded(node).Count == 1, "the frame is stored");

        var (stream, session) = await node.OpenByHand("hv02");
        await using var _ = stream;
        await stream.Send(new LinkParcel(new ReportFrames(session, [Frame(5)]), session), CancellationToken.None);
        Assert.Equal(-1, Assert.IsType<FramesStored>((await stream.Receive(CancellationToken.None).Soon()).Word).Seq);
    }

    [Fact]
    public async Task Newer_session_of_a_host_ends_the_older_stream()
    {
        await using var node = await NodeRig.Start();
        var (older, first) = await node.OpenByHand();
        var (newer, second) = await node.OpenByHand();
        await using var _ = older;
        await using var __ = newer;

        var away = Assert.IsType<ComeAgain>((await older.Receive(CancellationToken.None).Soon()).Word);
        await Assert.ThrowsAsync<LinkEndedException>(() => older.Receive(CancellationToken.None).Soon());
        await Eventually.Is(() => node.Streams.Health.Open == 1, "one stream");

        Assert.Equal((1, 2, "session 2 is newer than 1"), (first, second, away.Reason));
        Assert.DoesNotContain(node.Bridges.Heard, word => word is CloseSession);
    }

    [Fact]
    public async Task Agent_that_goes_away_is_told_to_the_bridge()
    {
        await using var node = await NodeRig.Start();
        var (stream, session) = await node.OpenByHand();
        await stream.DisposeAsync();
        await Eventually.Is(() => node.Bridges.Heard.OfType<CloseSession>().Any(), "the bridge is told");
        Assert.Equal(session, node.Bridges.Heard.OfType<CloseSession>().Single().Session);
        await Eventually.Is(() => node.Streams.Health.Open == 0, "the stream is gone");
    }

    [Fact]
    public async Task Report_under_another_session_ends_the_stream()
    {
        await using var node = await NodeRig.Start();
        var (stream, session) = await node.OpenByHand();
        var completion = new ReportCompletion(session - 1, new Completion("c", NdisStatus.Success));
        await stream.Send(new LinkParcel(completion, session - 1), CancellationToken.None);
        Assert.Contains("stale session", await EndOf(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Word_that_no_agent_says_ends_the_stream()
    {
        await using var node = await NodeRig.Start();
        var (stream, session) = await node.OpenByHand();
        await stream.Send(new LinkParcel(new CheckHost(), session), CancellationToken.None);
        Assert.Contains("CheckHost.1 is not for a bridge", await EndOf(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Frames_without_waiting_for_receipts_end_the_stream()
    {
        await using var node = await NodeRig.Start();
        node.Bridges.InsteadOfBridge = envelope =>
            envelope.Body is ReportFrames ? new Refusal(RefusalKind.Unavailable, "journal.unavailable", "away") : null;
        var (stream, session) = await node.OpenByHand();
        // The end may come before the last of them is sent: then the sending says so.
        var end = await Record.ExceptionAsync(async () =>
        {
            for (var i = 1; i <= 8; i++)
            {
                await stream.Send(new LinkParcel(new ReportFrames(session, [Frame(i)]), session), CancellationToken.None);
            }
        });
        Assert.Contains("window", end is LinkEndedException ? end.Message : await EndOf(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storm_of_streams_is_sent_away()
    {
        await using var node = await NodeRig.Start(new AgentGatewayOptions { OpensMax = 2, OpensWithin = TimeSpan.FromHours(1) });
        var away = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            await using var stream = await node.Link().Open(CancellationToken.None);
            await stream.Send(new LinkParcel(NodeRig.Hello()), CancellationToken.None);
            if ((await stream.Receive(CancellationToken.None).Soon()).Word is ComeAgain again)
            {
                away.Add(again.AfterMilliseconds);
            }
        }
        Assert.Equal([1_000, 2_000], away);
    }

    [Fact]
    public async Task Stopping_node_sends_its_agents_away_and_they_find_the_next_one()
    {
        await using var node = await NodeRig.Start();
        await using var rig = new AgentRig(node.Link());
        await Eventually.Is(() => rig.Agent.Session == 1, "a session");
        await node.Down();
        await node.Up();
        await Eventually.Is(() => rig.Agent.Session == 2, "a session with the next node");
        Assert.Contains(node.Bridges.Heard, word => word is CloseSession { Reason: "the node stops" });
    }

    [Fact]
    public async Task Agent_over_an_address_is_refused_unless_addresses_are_trusted()
    {
        await using var node = await NodeRig.Start();
        var address = node.App!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .First(address => address.StartsWith("http://127", StringComparison.Ordinal));
        using var link = GrpcAgentLink.ToAddress(new Uri(address));
        await using var stream = await link.Open(CancellationToken.None);
        Assert.Contains("agent socket", await EndOf(stream), StringComparison.Ordinal);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Socket_is_the_owners_alone_and_a_stale_one_is_replaced()
    {
        await using var node = await NodeRig.Start();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(node.Socket));
        await Assert.ThrowsAsync<IOException>(() => node.Up());
        await node.Down();
        await File.WriteAllTextAsync(node.Socket, "");
        await node.Up();
    }

    static List<long> Recorded(NodeRig node) =>
        [.. node.Bridges.Stored.Select(row => row.Event).OfType<FrameRecorded>().Select(recorded => recorded.Frame.Seq)];

    static DriverFrame Frame(long seq) => new(
        "boot", 1, seq, DateTimeOffset.UnixEpoch, FrameKind.Appeared, new DeviceState("", "prod", "", "x1", true, true, true, 0, 0));

    static async Task<string> EndOf(IAgentStream stream) =>
        (await Assert.ThrowsAsync<LinkEndedException>(() => stream.Receive(CancellationToken.None).Soon())).Message;
}
