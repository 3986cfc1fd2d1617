using ControlPlane.Messages;

namespace ControlPlane.Kernel.Tests;

/// <summary>Who hears whom, and with which tag, under each VLAN mode.</summary>
public sealed class VlanTests : IAsyncLifetime
{
    const int Rounds = 2;
    readonly Fleet _fleet = new();
    readonly List<Wire> _wires = [];
    int _numbers;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _wires.ForEach(wire => wire.Dispose());
        await _fleet.End();
    }

    [RootFact]
    public async Task Trunk_reaches_each_of_its_VLANs_by_the_tag_and_no_other()
    {
        var hv01 = await _fleet.Host("hv01");
        var trunk = await Guest(hv01, new VlanPolicy.Trunk(0, [new VlanRange(10, 10), new VlanRange(20, 25)]));
        var red = await Guest(hv01, new VlanPolicy.Access(10));
        var green = await Guest(hv01, new VlanPolicy.Access(25));
        var blue = await Guest(hv01, new VlanPolicy.Access(26));
        var plain = await Guest(hv01, new VlanPolicy.Untagged());

        await Exchange(
            new(trunk, ["t", "t10@10", "t25@25", "t26@26", "t9@9"], ["r@10", "g@25", "p"]),
            new(red, ["r"], ["t10"]),
            new(green, ["g"], ["t25"]),
            new(blue, ["b"], []),
            new(plain, ["p"], ["t"]));
    }

    [RootFact]
    public async Task Native_VLAN_of_a_trunk_is_untagged_at_the_guest()
    {
        var hv01 = await _fleet.Host("hv01");
        var trunk = await Guest(hv01, new VlanPolicy.Trunk(10, [new VlanRange(20, 20)]));
        var red = await Guest(hv01, new VlanPolicy.Access(10));
        var green = await Guest(hv01, new VlanPolicy.Access(20));
        var plain = await Guest(hv01, new VlanPolicy.Untagged());

        await Exchange(
            new(trunk, ["t", "t10@10", "t20@20"], ["r", "g@20"]),
            new(red, ["r"], ["t"]),
            new(green, ["g"], ["t20"]),
            new(plain, ["p"], []));
    }

    [RootFact]
    public async Task What_a_guest_tags_by_itself_is_dropped_unless_it_has_a_trunk()
    {
        var hv01 = await _fleet.Host("hv01");
        var red = await Guest(hv01, new VlanPolicy.Access(10));
        var pink = await Guest(hv01, new VlanPolicy.Access(10));
        var plain = await Guest(hv01, new VlanPolicy.Untagged());
        var calm = await Guest(hv01, new VlanPolicy.Untagged());
        var everything = await Guest(hv01, new VlanPolicy.Trunk(0, [new VlanRange(1, 4_094)]));

        await Exchange(
            new(red, ["r", "r10@10", "r20@20"], ["e10"]),
            new(pink, [], ["r", "e10"]),
            new(plain, ["p", "p10@10"], ["e"]),
            new(calm, [], ["p", "e"]),
            new(everything, ["e", "e10@10"], ["r@10", "p"]));
    }

    [RootFact]
    public async Task Private_VLAN_lets_isolated_ports_and_communities_reach_only_whom_they_may()
    {
        var hv01 = await _fleet.Host("hv01");
        var isolated = new VlanPolicy.Private(PrivateVlanMode.Isolated, 100, [101]);
        var (a, b) = (await Guest(hv01, isolated), await Guest(hv01, isolated));
        var community = new VlanPolicy.Private(PrivateVlanMode.Community, 100, [102]);
        var (c, d) = (await Guest(hv01, community), await Guest(hv01, community));
        var other = await Guest(hv01, new VlanPolicy.Private(PrivateVlanMode.Community, 100, [103]));
        var promiscuous = new VlanPolicy.Private(PrivateVlanMode.Promiscuous, 100, [101, 102, 103]);
        var (p, q) = (await Guest(hv01, promiscuous), await Guest(hv01, promiscuous));
        var stranger = await Guest(hv01, new VlanPolicy.Private(PrivateVlanMode.Promiscuous, 200, [101]));

        await Exchange(
            new(a, ["a"], ["p", "q"]),
            new(b, ["b"], ["p", "q"]),
            new(c, ["c"], ["d", "p", "q"]),
            new(d, ["d"], ["c", "p", "q"]),
            new(other, ["o"], ["p", "q"]),
            new(p, ["p"], ["a", "b", "c", "d", "o", "q"]),
            new(q, ["q"], ["a", "b", "c", "d", "o", "p"]),
            new(stranger, ["s"], ["a", "b"]));
    }

    [RootFact]
    public async Task Frame_with_two_tags_reaches_no_guest_that_hears_the_outer_one_untagged()
    {
        var hv01 = await _fleet.Host("hv01");
        var trunk = await Guest(hv01, new VlanPolicy.Trunk(0, [new VlanRange(10, 10)]));
        var red = await Guest(hv01, new VlanPolicy.Access(10));

        trunk.Send(Wire.TagType, [0, 30, 0x88, 0xb5, .. "inner"u8], tag: 10);
        await Exchange(new(trunk, ["t@10"], []), new(red, [], ["t"]));

        Assert.DoesNotContain(red.Hear(), frame => frame.Type == Wire.TagType || frame.Tag != 0);
    }

    [RootFact]
    public async Task Trunk_with_two_thousand_ranges_tells_each_id_apart()
    {
        var hv01 = await _fleet.Host("hv01");
        var odd = new VlanPolicy.Trunk(0, [.. Enumerable.Range(0, 2_047).Select(place => new VlanRange(2 * place + 1, 2 * place + 1))]);
        var (sends, hears) = (await Guest(hv01, new VlanPolicy.Trunk(0, [new VlanRange(1, 4_094)])), await Guest(hv01, odd));

        int[] ids = [1, 2, 3, 776, 777, 778, 4_092, 4_093, 4_094];
        await Exchange(
            new(sends, [.. ids.Select(id => $"t@{id}")], []),
            new(hears, [], [.. ids.Where(id => id % 2 == 1).Select(id => $"t@{id}")]));
    }

    [RootFact]
    public async Task VLANs_hold_across_two_hosts()
    {
        var (hv01, hv02) = (await _fleet.Host("hv01"), await _fleet.Host("hv02"));
        var red = await Guest(hv01, new VlanPolicy.Access(10));
        var trunk = await Guest(hv02, new VlanPolicy.Trunk(0, [new VlanRange(10, 20)]));
        var pink = await Guest(hv02, new VlanPolicy.Access(10));
        var green = await Guest(hv02, new VlanPolicy.Access(20));

        await Exchange(
            new(red, ["r"], ["t10", "k"]),
            new(trunk, ["t10@10", "t20@20"], ["r@10", "k@10", "g@20"]),
            new(pink, ["k"], ["r", "t10"]),
            new(green, ["g"], ["t20"]));
    }

    async Task<Wire> Guest(DriverLinux.LinuxDriver host, VlanPolicy vlan)
    {
        var number = ++_numbers;
        var nic = new Nic("g" + number, number);
        var policy = PortPolicy.Default with { Vlan = vlan };
        Assert.Equal(policy.Digest, (await _fleet.Open(host, nic, policy)).Policy);
        _wires.Add(_fleet.Wire(nic));
        return _wires[^1];
    }

    /// <summary>
    /// Everybody sends what it has, twice, and hears exactly what it should: what may not arrive had, when the second round
    /// is complete everywhere, a whole round's time to do so.
    /// </summary>
    static async Task Exchange(params Part[] parts)
    {
        for (var round = 1; round <= Rounds; round++)
        {
            foreach (var (part, probe) in parts.SelectMany(part => part.Sends.Select(probe => (part, probe))))
            {
                var (text, tag) = Split(probe);
                part.Wire.Send($"{text}/{round}", tag);
            }

            var now = round;
            await Fleet.Eventually(
                () => parts.All(part => Expected(part, now).IsSubsetOf(part.Wire.Probes())),
                string.Join("; ", parts.Select(part => string.Join(' ', part.Hears))));
        }

        Assert.All(parts, part => Assert.Equal(Expected(part, Rounds).Order(), part.Wire.Probes().Order()));
    }

    static HashSet<string> Expected(Part part, int rounds) =>
    [
        .. from probe in part.Hears
           from round in Enumerable.Range(1, rounds)
           let split = Split(probe)
           select split.Tag == 0 ? $"{split.Text}/{round}" : $"{split.Text}/{round}@{split.Tag}",
    ];

    static (string Text, int Tag) Split(string probe) =>
        probe.Split('@') is [var text, var tag] ? (text, int.Parse(tag, System.Globalization.CultureInfo.InvariantCulture)) : (probe, 0);

    /// <summary>A guest, what it sends and what it shall hear, as "text" or "text@tag".</summary>
    sealed record Part(Wire Wire, string[] Sends, string[] Hears);
}
