using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.5: references and what is in flight defer the two DELETEs and nothing else.</summary>
public abstract class DrainScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task R01_Port_reference_lets_the_teardown_pass_and_defers_the_delete()
    {
        await CreatePort();
        var hold = await Holds("e2", P, null);
        await Does(OidCode.PortTeardown);
        await Draining("port.delete.draining", OidCode.PortDelete, holders: ["e2"]);
        await Releases(hold);
        await Does(OidCode.PortDelete);
    }

    [Fact]
    public async Task R02_Nic_reference_lets_the_disconnect_pass_and_defers_the_delete()
    {
        await Connected();
        var hold = await Holds("e3", P, 0);
        await DisconnectNic();
        await Draining("nic.delete.draining", OidCode.NicDelete, holders: ["e3"]);
        await Releases(hold);
        await DeleteNic();
    }

    [Fact]
    public async Task R03_Port_that_is_torn_down_is_not_referenced()
    {
        await TearingDown();
        await NotHeld("port.hold.not-created", P, null);
    }

    [Fact]
    public async Task R04_Nic_that_is_not_connected_yet_is_not_referenced()
    {
        await CreatePort();
        await CreateNic();
        await NotHeld("nic.hold.not-connected", P, 0);
    }

    [Fact]
    public async Task R05_Nic_that_is_disconnected_is_not_referenced()
    {
        await Disconnected();
        await NotHeld("nic.hold.not-connected", P, 0);
    }

    [Fact]
    public async Task R07_Reference_that_won_the_race_allows_the_enumeration_until_it_is_released()
    {
        await CreatePort();
        var hold = await Holds("e3", P, null);
        await Does(OidCode.PortTeardown);
        await Does(OidCode.PortPropertyEnum);
        await Releases(hold);
        await Rejects("port.enum.tearing-down", "R07", () => Try(OidCode.PortPropertyEnum));
    }

    [Fact]
    public async Task R08_Reference_is_released_exactly_once()
    {
        await CreatePort();
        var hold = await Holds("e3", P, null);
        await Releases(hold);
        var again = await Target.Release(hold);
        Assert.Equal((404, "hold.unknown", "R4"), (again.Http, again.Refusal?.Code, again.Refusal?.Rule));
    }

    [Fact]
    public async Task R10_Nic_delete_waits_for_every_packet()
    {
        await Connected();
        await Target.InFlight(P, 0, packets: 5, oids: 0);
        await DisconnectNic();
        for (var left = 5; left > 0; left--)
        {
            Assert.Equal(left, (await Draining("nic.delete.draining", OidCode.NicDelete, holders: [])).Packets);
            await Target.InFlight(P, 0, left - 1, 0);
        }
        await DeleteNic();
    }

    [Fact]
    public async Task R11_Nic_delete_waits_for_an_inner_oid()
    {
        await Connected();
        await Target.InFlight(P, 0, packets: 0, oids: 1);
        await DisconnectNic();
        Assert.Equal(1, (await Draining("nic.delete.draining", OidCode.NicDelete, holders: [])).Oids);
        await Target.InFlight(P, 0, 0, 0);
        await DeleteNic();
    }

    [Fact]
    public async Task R12_One_of_two_references_still_defers()
    {
        await Connected();
        var first = await Holds("e2", P, 0);
        var second = await Holds("e3", P, 0);
        await DisconnectNic();
        await Releases(first);
        await Draining("nic.delete.draining", OidCode.NicDelete, holders: ["e3"]);
        await Releases(second);
        await DeleteNic();
    }

    [Fact]
    public async Task R16_Packets_are_counted_and_take_no_references()
    {
        await Connected();
        await Target.InFlight(P, 0, packets: 10_000, oids: 0);
        await DisconnectNic();
        var report = await Draining("nic.delete.draining", OidCode.NicDelete, holders: []);
        Assert.Equal(10_000, report.Packets);
    }

    [Fact]
    public async Task R17_Request_for_a_vm_needs_both_nics_connected_or_nothing_is_sent()
    {
        await CreatePort(Q, PortType.External);
        await Does(OidCode.NicCreate, Q, parameters: HostNic(NicType.External));
        await CreatePort();
        await CreateNic();
        await Rejects("nic-request.source", "R17", () => Request(P, Q));
        await ConnectNic();
        await Rejects("nic-request.destination", "R17", () => Request(P, Q));
        await Does(OidCode.NicConnect, Q);
        Assert.True((await Request(P, Q)).Succeeded);
        Assert.True((await Request(0, Q)).Succeeded);
        Assert.True((await Request(P, 0)).Succeeded);
        await DisconnectNic();
        await Rejects("nic-request.source", "R17", () => Request(P, Q));
    }

    [Fact]
    public async Task R17_Reference_taken_before_the_disconnect_keeps_the_right_to_request()
    {
        await Connected();
        var hold = await Holds("e3", P, 0);
        await DisconnectNic();
        Assert.True((await Request(P, 0)).Succeeded);
        await Releases(hold);
        await Rejects("nic-request.source", "R17", () => Request(P, 0));
    }

    [Fact]
    public async Task R18_Pending_oids_of_other_kinds_are_forwarded_after_the_disconnect()
    {
        await DefineThree();
        await Disconnected();
        var outcome = await Does(new OidCode(0x00010200));
        Assert.Equal(7, outcome.Trace.Count);
        Assert.Empty(outcome.Faults);
    }

    [Fact]
    public async Task R19_Port_is_deleted_only_after_its_last_reference()
    {
        await Connected();
        var hold = await Holds("e3", P, null);
        await DisconnectNic();
        await DeleteNic(); // a port reference does not stop it (R5)
        await Does(OidCode.PortTeardown);
        await Draining("port.delete.draining", OidCode.PortDelete, holders: ["e3"]);
        await Releases(hold);
        await Does(OidCode.PortDelete);
    }

    [Fact]
    public async Task Validation_port_with_a_reference_is_not_deleted_without_a_teardown_either()
    {
        await CreatePort(validation: true);
        var hold = await Holds("e2", P, null);
        await Draining("port.delete.draining", OidCode.PortDelete, holders: ["e2"]);
        await Releases(hold);
        await Does(OidCode.PortDelete);
    }

    [Fact]
    public async Task Reference_on_one_nic_does_not_defer_another()
    {
        await Connected();
        await Connected(Q);
        var hold = await Holds("e2", P, 0);
        await DisconnectNic(Q);
        await DeleteNic(Q);
        await Releases(hold);
    }

    Task<Verdict> Request(uint source, uint destination) =>
        Try(OidCode.NicRequest, 0, parameters: new NicRequestParameters(source, 0, destination, 0, new OidCode(0x00010238)));

    async Task<string> Holds(string holder, uint port, int? index)
    {
        var verdict = await Target.Hold(holder, port, index);
        Assert.True(verdict.Succeeded, $"{verdict}");
        return verdict.Id!;
    }

    async Task Releases(string hold) => Assert.True((await Target.Release(hold)).Succeeded);

    async Task NotHeld(string code, uint port, int? index)
    {
        var verdict = await Target.Hold("e2", port, index);
        Assert.Equal((409, code, "R1"), (verdict.Http, verdict.Refusal?.Code, verdict.Refusal?.Rule));
    }

    /// <summary>The DELETE is refused as draining, with who and what it waits for.</summary>
    async Task<DrainReport> Draining(string code, OidCode oid, string[] holders)
    {
        var refusal = await Rejects(code, code.StartsWith("nic", StringComparison.Ordinal) ? "G3" : "G5", () => Try(oid));
        Assert.Equal(holders, refusal.Holds!.Holds.Select(hold => hold.Holder));
        return refusal.Holds;
    }
}
