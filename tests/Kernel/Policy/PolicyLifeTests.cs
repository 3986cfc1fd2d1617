using System.Diagnostics;
using ControlPlane.DriverLinux;
using ControlPlane.Messages;
using Xunit.Abstractions;

namespace ControlPlane.Kernel.Tests;

/// <summary>A policy from its first application to its removal: restarts, other hands, ordered ends, costs.</summary>
public sealed class PolicyLifeTests(ITestOutputHelper output) : IAsyncLifetime
{
    static readonly PortPolicy Everything = new(
        new VlanPolicy.Access(10), AllowMacSpoofing: false,
        [
            new AclRule(AclDirection.Outbound, AclAction.Deny, "10.0.0.9"),
            new AclRule(AclDirection.Inbound, AclAction.Deny, Protocol: 17, LocalPort: 99),
        ],
        new BandwidthPolicy(1_000_000_000, 1_000_000_000));

    readonly Fleet _fleet = new();
    readonly Nic _web = new("web", 1);
    readonly Nic _db = new("db", 2);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fleet.End();

    [RootFact]
    public async Task Policy_that_is_in_place_is_not_applied_again()
    {
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _web, Everything);
        var (changes, rules) = (hv01.PolicyChanges, Rules("hv01"));

        await _fleet.Done(hv01, _web.Apply(Everything));
        await _fleet.Done(hv01, _web.Repair(up: true, Everything));

        Assert.Equal((changes, rules), (hv01.PolicyChanges, Rules("hv01")));
        await _fleet.Done(hv01, _web.Apply(Everything with { Acls = [] }));
        Assert.Equal(changes + 1, hv01.PolicyChanges);
    }

    [RootFact]
    public async Task Policies_outlive_the_process_and_the_next_one_applies_nothing()
    {
        // The first instance is left as a killed process leaves it: nothing of its end is run.
        var killed = await _fleet.Host("hv01");
        var other = new Nic("other", 3);
        await _fleet.Open(killed, _web, Everything);
        await _fleet.Open(killed, _db, Everything);
        await _fleet.Open(killed, other, PortPolicy.Default);
        var before = Rules("hv01");

        var next = _fleet.Start("hv01");
        await next.Resume(default);
        var found = (await next.Snapshot(default)).Devices.ToDictionary(nic => nic.NicKey, nic => nic.Policy);

        Assert.Equal((Everything.Digest, PortPolicy.Default.Digest), (found[_web.Key], found[other.Key]));
        Assert.Equal(Everything.Digest, (await _fleet.Done(next, _web.Apply(Everything))).Policy);
        Assert.Equal((0, before), (next.PolicyChanges, Rules("hv01")));
        await Fleet.Eventually(() => _fleet.Ping("web", _db.Address), "a ping within the VLAN");
        Assert.False(_fleet.Ping("web", other.Address));
    }

    [RootFact]
    public async Task Piece_that_another_hand_takes_or_changes_is_drift_and_the_repair_brings_it_back()
    {
        var hv01 = await _fleet.Host("hv01", sweepSeconds: 0.05);
        var device = (await _fleet.Open(hv01, _web, Everything)).Device;
        await _fleet.Open(hv01, _db, PortPolicy.Default);
        const string pass = "bpf bytecode '1,6 0 0 0'";
        string[] behindOurBack =
        [
            $"tc filter replace dev {device} ingress pref 1 handle 1 {pass} direct-action",
            $"tc filter replace dev {device} egress pref 1 handle 1 {pass} direct-action",
            $"tc filter add dev {device} ingress pref 1 handle 2 {pass} direct-action",
            $"tc filter add dev {device} egress pref 9 {pass} direct-action",
            $"tc filter del dev {device} egress pref 1; tc filter add dev {device} egress pref 1 handle 1 protocol ip {pass} direct-action",
            $"tc qdisc del dev {device} clsact",
            $"tc filter del dev {device} ingress pref 1",
            $"tc filter del dev {device} ingress pref 2",
            $"tc filter del dev {device} egress",
            $"tc qdisc del dev {device} root",
            $"tc qdisc change dev {device} root tbf rate 2gbit burst 1mb limit 1mb",
        ];
        foreach (var act in behindOurBack)
        {
            var place = (await hv01.Snapshot(default)).LastSeq;
            var (code, text) = _fleet.Inside("hv01", "sh", "-c", act);
            Assert.True(code == 0, $"{act}: {text}");

            var frames = await FramesOf(hv01, _web.Key, place);
            Assert.True(frames is (FrameKind.Changed, null), $"{act}: {frames}");
            Assert.Equal(Everything.Digest, (await _fleet.Done(hv01, _web.Repair(up: true, Everything))).Policy);
            await _fleet.Done(hv01, _db.Repair(up: true, PortPolicy.Default));
        }
    }

    [RootFact]
    public async Task Look_at_the_policies_loads_a_program_only_to_know_what_an_earlier_process_attached()
    {
        var killed = await _fleet.Host("hv01");
        await _fleet.Open(killed, _web, Everything);
        await _fleet.Open(killed, _db, Everything);
        var loaded = killed.ProgramsLoaded;
        await Look(killed);
        Assert.Equal(loaded, killed.ProgramsLoaded);

        var next = _fleet.Start("hv01");
        await next.Resume(default);
        var again = next.ProgramsLoaded;
        Assert.InRange(again, 1, loaded);
        await Look(next);
        Assert.Equal(again, next.ProgramsLoaded);

        async Task Look(LinuxDriver host)
        {
            for (var round = 0; round < 10; round++)
            {
                Assert.All((await host.Snapshot(default)).Devices, nic => Assert.Equal(Everything.Digest, nic.Policy));
            }
        }
    }

    [RootFact]
    public async Task Gate_does_not_open_without_the_policy()
    {
        var hv01 = await _fleet.Host("hv01");
        var device = (await _fleet.Done(hv01, _web.Create(Everything))).Device;
        _fleet.Inside("hv01", "tc", "filter", "delete", "dev", device, "ingress", "pref", "1");

        var refused = await _fleet.Do(hv01, _web.Connect());

        Assert.Equal((NdisStatus.Failure, false), (refused.Status, refused.Observed!.Up));
        await _fleet.Done(hv01, _web.Repair(up: false, Everything));
        Assert.True((await _fleet.Done(hv01, _web.Connect())).Up);
    }

    [RootFact]
    public async Task Deleted_NIC_leaves_nothing_in_the_kernel()
    {
        var hv01 = await _fleet.Host("hv01");
        var device = (await _fleet.Open(hv01, _web, Everything)).Device;
        var other = (await _fleet.Open(hv01, _db, Everything)).Device;
        var (programs, others) = (Own(device), Own(other));
        Assert.Equal((3, 3), (programs.Length, others.Length));

        await _fleet.Done(hv01, _web.Delete());

        await Fleet.Eventually(() => !programs.Any(IsThere), "programs and counters that are gone");
        Assert.All(others, one => Assert.True(IsThere(one)));
        Assert.DoesNotContain(device, Rules("hv01"), StringComparison.Ordinal);
        await _fleet.Done(hv01, _web.Delete());
        await _fleet.Done(hv01, _db.Delete());
        await Fleet.Eventually(() => !others.Any(IsThere), "programs and counters that are gone");
        Assert.DoesNotContain("n-", Rules("hv01"), StringComparison.Ordinal);

        (uint Program, uint Map)[] Own(string of)
        {
            using var links = Links.Open(_fleet.Namespace("hv01"));
            using var traffic = Traffic.Open(_fleet.Namespace("hv01"));
            return
            [
                .. from side in (TrafficSide[])[TrafficSide.In, TrafficSide.Out]
                   from filter in traffic.Filters(links.Need(of).Index, side)
                   select (filter.Program, MapOf(filter.Program)),
            ];
        }

        static uint MapOf(uint number)
        {
            using var program = BpfProgram.Find(number);
            return program!.Map()!.Value;
        }

        static bool IsThere((uint Program, uint Map) one)
        {
            using var program = BpfProgram.Find(one.Program);
            using var map = BpfMap.Find(one.Map);
            return program is not null || map is not null;
        }
    }

    [RootFact]
    public async Task Tables_of_a_version_before_programs_go_when_the_programs_are_in_place()
    {
        var killed = await _fleet.Host("hv01");
        var device = (await _fleet.Open(killed, _web, Everything)).Device;
        _fleet.Inside("hv01", "tc", "filter", "delete", "dev", device, "egress", "pref", "1");
        using var tables = NetlinkSocket.Open(_fleet.Namespace("hv01"), NetlinkSocket.Netfilter);
        string[] names = ["ports-00", "ports-3f", "ports-40", "elsewhere"];
        tables.Request([Edge(16), .. names.Select(Table), Edge(17)], "make tables");

        var next = _fleet.Start("hv01");
        await next.Resume(default);

        using var former = FormerRules.Open(_fleet.Namespace("hv01"));
        Assert.Empty(former.Tables());
        former.Delete(names[2..]);
        Assert.Throws<KernelException>(() => former.Delete(names[..1]));
        Assert.Equal(Everything.Digest, (await next.Snapshot(default)).Devices[0].Policy);

        static NetlinkMessage Edge(ushort type) => new NetlinkMessage(type, NetlinkFlags.Request, "edge").Append([0, 0, 0, 10]);

        static NetlinkMessage Table(string name) =>
            new NetlinkMessage(10 << 8, NetlinkFlags.Request | NetlinkFlags.Create, name).Append([5, 0, 0, 0]).Add(1, name);
    }

    [RootFact]
    public async Task Device_made_anew_under_its_name_is_under_its_rules()
    {
        var hv01 = await _fleet.Host("hv01");
        var device = (await _fleet.Open(hv01, _web, Everything)).Device;
        await _fleet.Open(hv01, _db, Everything with { Acls = [] });
        _fleet.Ip("hv01", "link", "delete", device);

        Assert.Equal(Everything.Digest, (await _fleet.Done(hv01, _web.Repair(up: true, Everything))).Policy);

        using var sends = _fleet.Wire(_web);
        using var hears = _fleet.Wire(_db);
        await Fleet.Eventually(() =>
        {
            sends.Send("forged", from: "02:00:00:00:00:99");
            sends.Send("honest");
            return hears.Probes().Contains("honest");
        }, "an honest frame through the new device");
        Assert.DoesNotContain("forged", hears.Probes());
    }

    [RootFact]
    public async Task Suspended_host_comes_back_with_its_policies()
    {
        var hv01 = await _fleet.Host("hv01");
        var other = new Nic("other", 3);
        await _fleet.Open(hv01, _web, Everything);
        await _fleet.Open(hv01, _db, Everything);
        await _fleet.Open(hv01, other, PortPolicy.Default);
        var before = (await hv01.Snapshot(default)).Devices.OrderBy(nic => nic.Device);

        await hv01.Suspend(default);
        Assert.Empty(_fleet.Namespaces());
        await hv01.Resume(default);

        Assert.Equal(before, (await hv01.Snapshot(default)).Devices.OrderBy(nic => nic.Device));
        await Fleet.Eventually(() => _fleet.Ping("web", _db.Address), "a ping within the VLAN");
        Assert.False(_fleet.Ping("web", other.Address));
    }

    [RootFact]
    public async Task What_a_NIC_gathered_goes_on_on_another_host()
    {
        var (hv01, hv02) = (await _fleet.Host("hv01"), await _fleet.Host("hv02"));
        var policy = PortPolicy.Default with
        {
            AllowMacSpoofing = true,
            Acls = [new AclRule(AclDirection.Outbound, AclAction.Deny, "02:00:00:00:00:77"), new AclRule(AclDirection.Outbound, AclAction.Allow)],
        };
        await _fleet.Open(hv01, _web, policy);
        using var sends = _fleet.Wire(_web);
        sends.Send("denied", to: "02:00:00:00:00:77");
        sends.Send("inner", from: "02:00:00:00:00:99");
        await Fleet.Eventually(
            () => _fleet.Gathered(hv01, _web).Result is { Learned: [.., "02:00:00:00:00:99"], AclHits: [1, > 0] }, "what was sent");
        var gathered = await _fleet.Gathered(hv01, _web);

        var there = new Nic("web", 1, epoch: 2);
        await _fleet.Done(hv01, _web.Disconnect());
        await _fleet.Open(hv02, there, policy);
        await _fleet.Done(hv02, there.Restore(new NicRuntimePart(SpoofedDropped: gathered.SpoofedDropped, AclHits: gathered.AclHits)));
        await _fleet.Done(hv02, there.Restore(new NicRuntimePart(Learned: gathered.Learned)));
        sends.Send("denied", to: "02:00:00:00:00:77");

        await Fleet.Eventually(() => _fleet.Gathered(hv02, there).Result.AclHits[0] == 2, "the counter that goes on");
        var changes = hv02.PolicyChanges;
        await _fleet.Done(hv02, there.Restore(new NicRuntimePart(gathered.Learned, gathered.SpoofedDropped, gathered.AclHits)));
        var now = await _fleet.Gathered(hv02, there);
        Assert.Equal((changes, 2), (hv02.PolicyChanges, now.AclHits[0]));
        Assert.Contains("02:00:00:00:00:99", now.Learned);
        Assert.Equal(policy.Digest, (await hv02.Snapshot(default)).Devices[0].Policy);
        Assert.Equal(NdisStatus.InvalidParameter, (await _fleet.Do(hv02, there.Restore(new NicRuntimePart(AclHits: [1])))).Status);
    }

    [RootFact]
    public async Task Part_of_what_was_gathered_leaves_the_rest_and_a_NIC_has_a_bound_of_addresses()
    {
        var hv01 = await _fleet.Host("hv01");
        var policy = PortPolicy.Default with { Acls = [new AclRule(AclDirection.Outbound, AclAction.Deny, "02:00:00:00:00:77")] };
        await _fleet.Open(hv01, _web, policy);
        await _fleet.Done(hv01, _web.Restore(new NicRuntimePart(SpoofedDropped: 3)));
        await _fleet.Done(hv01, _web.Restore(new NicRuntimePart(AclHits: [NicRuntime.CountMax])));
        await _fleet.Done(hv01, _web.Restore(new NicRuntimePart(Learned: ["02:00:00:00:00:99"])));
        Assert.Equal(3, (await _fleet.Gathered(hv01, _web)).SpoofedDropped);
        await _fleet.Done(hv01, _web.Restore(new NicRuntimePart(SpoofedDropped: 4)));
        using var sends = _fleet.Wire(_web);
        sends.Send("denied", to: "02:00:00:00:00:77");
        var now = await _fleet.Gathered(hv01, _web);
        Assert.Contains("02:00:00:00:00:99", now.Learned);
        Assert.Equal((4, NicRuntime.CountMax), (now.SpoofedDropped, now.AclHits.Single()));

        foreach (var half in Enumerable.Range(0, 400).Select(number => $"02:00:00:01:{number / 256:x2}:{number % 256:x2}").Chunk(200))
        {
            await _fleet.Done(hv01, _web.Restore(new NicRuntimePart(Learned: half)));
        }
        Assert.Equal(NicRuntime.LearnedMax, (await _fleet.Gathered(hv01, _web)).Learned.Count);
        NicRuntimePart[] hostile = [new(SpoofedDropped: -1), new(AclHits: [long.MaxValue]), new(Learned: ["no address"]), new(Learned: [null!])];
        foreach (var part in hostile)
        {
            Assert.Equal(NdisStatus.InvalidParameter, (await _fleet.Do(hv01, _web.Restore(part))).Status);
        }
    }

    [RootFact]
    public async Task Host_has_a_NIC_of_its_own_under_the_same_policies()
    {
        var hv01 = await _fleet.Host("hv01");
        var own = new Nic("", 9, name: "internal");
        var red = PortPolicy.Default with { Vlan = new VlanPolicy.Access(10) };
        await _fleet.Open(hv01, _web, red);
        await _fleet.Done(hv01, own.Create(red) with { Attach = NicAttach.Host });
        var open = await _fleet.Done(hv01, own.Connect());

        var end = DeviceNames.HostEnd(own.Key);
        Assert.Equal(own.Mac, _fleet.Device("hv01", end)!.Value.GetProperty("address").GetString());
        Assert.True(_fleet.IsUp("hv01", end));
        _fleet.Ip("hv01", "address", "add", own.Address + "/8", "dev", end);
        await Fleet.Eventually(() => _fleet.Ping("web", own.Address), "a ping of the host's own NIC");
        await _fleet.Done(hv01, own.Apply(red with { Vlan = new VlanPolicy.Access(11) }));
        Assert.False(_fleet.Ping("web", own.Address));

        await hv01.Suspend(default);
        await hv01.Resume(default);
        Assert.Contains((await hv01.Snapshot(default)).Devices, nic => nic.Device == open.Device && nic.Up);
        await _fleet.Done(hv01, own.Delete());
        Assert.Null(_fleet.Device("hv01", end));
    }

    [RootFact]
    public async Task Policy_of_the_two_thousandth_port_reads_nothing_of_the_others()
    {
        const int others = 2_000;
        const int times = 200;
        var hv01 = await _fleet.Host("hv01");
        await _fleet.Open(hv01, _web, Everything);
        var first = await Median(_web);

        // Devices with their programs, as a host has them.
        using (var links = Links.Open(_fleet.Namespace("hv01")))
        using (var traffic = Traffic.Open(_fleet.Namespace("hv01")))
        {
            var filters = new PortTraffic(traffic, new Programs());
            for (var number = 0; number < others; number++)
            {
                var device = DeviceNames.Nic($"crowd/{number}");
                Tap.Ensure(_fleet.Namespace("hv01"), device);
                filters.Apply(links.Need(device), Everything, new PortPrograms(Everything, "02:00:00:00:00:05"), 1_500);
            }
        }

        await _fleet.Open(hv01, _db, Everything);
        var last = await Median(_db);
        var loaded = hv01.ProgramsLoaded;
        var look = Stopwatch.GetTimestamp();
        await hv01.Snapshot(default);

        output.WriteLine($"policy replaced: {first.TotalMilliseconds:F2} ms with 1 port, {last.TotalMilliseconds:F2} ms with {others + 1}; "
            + $"a look at all devices: {Stopwatch.GetElapsedTime(look).TotalMilliseconds:F1} ms");
        Assert.Equal(loaded, hv01.ProgramsLoaded);

        async Task<TimeSpan> Median(Nic nic)
        {
            var all = new List<TimeSpan>();
            for (var time = 0; time < times; time++)
            {
                var acl = new AclRule(AclDirection.Inbound, AclAction.Deny, Protocol: 17, LocalPort: 1 + time % 2);
                var command = nic.Apply(Everything with { Acls = [acl] });
                var start = Stopwatch.GetTimestamp();
                await _fleet.Done(hv01, command);
                all.Add(Stopwatch.GetElapsedTime(start));
            }

            return all.Order().ElementAt(times / 2);
        }
    }

    [RootFact]
    public async Task Look_at_many_ports_costs_little_for_each()
    {
        const int ports = 200;
        var hv01 = await _fleet.Host("hv01");
        for (var number = 1; number <= ports; number++)
        {
            await _fleet.Done(hv01, new Nic("vm" + number, number).Create(Everything) with { Attach = NicAttach.Tap });
        }

        var loaded = hv01.ProgramsLoaded;
        await hv01.Snapshot(default);
        var start = Stopwatch.GetTimestamp();
        var snapshot = await hv01.Snapshot(default);
        var took = Stopwatch.GetElapsedTime(start);

        output.WriteLine($"{ports} ports compared with their policies in {took.TotalMilliseconds:F1} ms");
        Assert.Equal(ports, snapshot.Devices.Count(nic => nic.Policy == Everything.Digest));
        Assert.Equal(loaded, hv01.ProgramsLoaded);
    }

    /// <summary>Queues, and filters with the numbers of their programs: what is applied anew has new ones.</summary>
    string Rules(string host)
    {
        using var links = Links.Open(_fleet.Namespace(host));
        return string.Concat(
            from link in links.All()
            from what in (string[])["qdisc show dev {0}", "filter show dev {0} ingress", "filter show dev {0} egress"]
            select _fleet.Inside(host, ["tc", .. what.Replace("{0}", link.Name, StringComparison.Ordinal).Split(' ')]).Output);
    }

    static async Task<(FrameKind, string?)> FramesOf(LinuxDriver driver, string nic, long after)
    {
        while (true)
        {
            var frame = Assert.Single(await Fleet.Frames(driver, 1, after));
            after = frame.Seq;
            if (frame.Device.NicKey == nic)
            {
                return (frame.Kind, frame.Device.Policy);
            }
        }
    }
}
