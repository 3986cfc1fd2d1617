using ControlPlane.DriverLinux;
using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>A policy that the kernel takes a part of and then refuses: what held before still holds.</summary>
public sealed class RefusedPolicyTests : IAsyncLifetime
{
    static readonly PortPolicy Before = new(
        new VlanPolicy.Access(10), AllowMacSpoofing: false,
        [new AclRule(AclDirection.Outbound, AclAction.Deny, "10.0.0.9"), new AclRule(AclDirection.Inbound, AclAction.Deny, "10.0.0.9")],
        new BandwidthPolicy(1_000_000_000, 1_000_000_000));

    /// <summary>Another piece in each place: the program from the guest, that of its rate, the one to the guest, the bucket.</summary>
    static readonly PortPolicy After = new(
        new VlanPolicy.Access(11), AllowMacSpoofing: false,
        [new AclRule(AclDirection.Outbound, AclAction.Deny, "10.0.0.8"), new AclRule(AclDirection.Inbound, AclAction.Deny, "10.0.0.8")],
        new BandwidthPolicy(2_000_000_000, 2_000_000_000));

    readonly Fleet _fleet = new();
    readonly Nic _web = new("web", 1);
    Refusing _kernel = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task What_held_before_holds_with_its_counters(int refused)
    {
        var (hv01, device) = await Host();
        using (var sends = _fleet.Wire(_web))
        {
            sends.Send("forged", from: "02:00:00:00:00:99");
        }

        var there = There(device);
        _kernel.Refuses = step => step == refused;
        var completion = await _fleet.Do(hv01, _web.Apply(After));

        Assert.Equal((NdisStatus.Resources, Before.Digest), (completion.Status, completion.Observed!.Policy));
        Assert.EndsWith("what held before holds", completion.Detail, StringComparison.Ordinal);
        Assert.Equal(there, There(device));
        Assert.Equal(1, (await _fleet.Gathered(hv01, _web)).SpoofedDropped);

        // It counts on, and the next try is not in its way.
        Assert.Equal(After.Digest, (await _fleet.Done(hv01, _web.Apply(After))).Policy);
        Assert.Equal(After.Digest, (await hv01.Snapshot(default)).Devices[0].Policy);
    }

    [RootFact]
    public async Task Piece_that_was_not_there_before_is_taken_away_again_and_one_that_went_comes_back()
    {
        var (hv01, device) = await Host();
        await _fleet.Done(hv01, _web.Apply(Before with { Acls = [Before.Acls[1]], AllowMacSpoofing = true, Bandwidth = null }));
        var there = There(device);
        _kernel.Refuses = step => step == 4;

        // A rate is new, and the bucket is refused.
        var completion = await _fleet.Do(hv01, _web.Apply(After with { Acls = [After.Acls[0]] }));

        Assert.Equal(NdisStatus.Resources, completion.Status);
        Assert.NotNull(completion.Observed!.Policy);
        Assert.Equal(there, There(device));
    }

    [RootFact]
    public async Task Kernel_that_refuses_also_the_way_back_is_told_of_and_the_policy_is_not_called_whole()
    {
        var (hv01, _) = await Host();
        _kernel.Refuses = step => step >= 3;

        var completion = await _fleet.Do(hv01, _web.Apply(After));

        Assert.Equal((NdisStatus.Resources, null), (completion.Status, completion.Observed!.Policy));
        Assert.Contains("what held before is not all there: attach", completion.Detail, StringComparison.Ordinal);
        _kernel.Refuses = _ => false;
        Assert.Equal(After.Digest, (await _fleet.Done(hv01, _web.Apply(After))).Policy);
    }

    async Task<(LinuxDriver Host, string Device)> Host()
    {
        var hv01 = await _fleet.Host("hv01", traffic: inside => _kernel = new Refusing(NetlinkSocket.Open(inside)));
        return (hv01, (await _fleet.Open(hv01, _web, Before)).Device);
    }

    /// <summary>Filters with the numbers of their programs, and the queue.</summary>
    string There(string device) => string.Concat(
        from what in (string[])["filter show dev {0} ingress", "filter show dev {0} egress", "qdisc show dev {0}"]
        select _fleet.Inside("hv01", ["tc", .. what.Replace("{0}", device, StringComparison.Ordinal).Split(' ')]).Output);

    /// <summary>A kernel that has no memory for some of the pieces that it is asked for, counted from when that is set.</summary>
    sealed class Refusing(NetlinkSocket socket) : Traffic(socket)
    {
        int _steps;

        public Func<int, bool> Refuses
        {
            get;
            set
            {
                field = value;
                _steps = 0;
            }
        } = _ => false;

        public override void SetFilter(LinkInfo link, TrafficSide side, int priority, string name, BpfProgram program)
        {
            Step("attach " + name);
            base.SetFilter(link, side, priority, name, program);
        }

        public override void SetBucket(LinkInfo link, TokenBucket bucket)
        {
            Step("set token bucket");
            base.SetBucket(link, bucket);
        }

        void Step(string what)
        {
            if (Refuses(++_steps))
            {
                throw new KernelException(12, what);
            }
        }
    }
}
