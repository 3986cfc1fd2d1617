using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>What an extension gets for the OIDs that it sends down itself, and the bounds of that (switch.md 2.7, 2.8, 9.3.1).</summary>
public sealed class OriginationTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");

    readonly World _world = new World().Connect("hv01");
    int _requests;

    [Fact]
    public void Answer_is_the_list_as_the_last_completed_oid_left_it()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        Port(7);
        OriginatedAnswer seen = default;
        var verdict = Down(Create(8), new Own(ExtensionClass.Capture, (_, view) => seen = view.Originate(OidCode.PortArray)));
        Assert.Equal(7u, Assert.Single(seen.Output!.Value.GetProperty("elements").EnumerateArray()).GetProperty("portId").GetUInt32());
        Assert.Equal(NdisStatus.Success, Assert.Single(verdict.Originated!).Status);
        var small = default(OriginatedAnswer);
        Down(Create(8), new Own(ExtensionClass.Capture, (_, view) => small = view.Originate(OidCode.PortArray, new QueryParameters(10))));
        Assert.Equal((NdisStatus.InvalidLength, 24 + 1056), (small.Status, small.BytesNeeded));
    }

    [Fact]
    public void O09_List_of_a_switch_that_is_not_active_is_not_given()
    {
        var away = new World();
        away.DefineSwitch(Sw, DriftPolicy.Report);
        var (list, parameters) = (default(OriginatedAnswer), default(OriginatedAnswer));
        var verdict = Down(away, new OidRequest("r", OidCode.NicDirectRequest, 0), new Own(ExtensionClass.Filter, (_, view) =>
        {
            parameters = view.Originate(OidCode.Parameters);
            return list = view.Originate(OidCode.NicArray);
        }));
        Assert.False(parameters.Output!.Value.GetProperty("isActive").GetBoolean());
        Assert.Equal((NdisStatus.Failure, null), (list.Status, list.Output));
        Assert.Empty(verdict.Originated![1].Trace);
        Assert.Empty(verdict.Faults);
    }

    [Fact]
    public void One_oid_lets_extensions_send_so_many_and_no_more()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        List<NdisStatus> statuses = [];
        var verdict = Down(Create(7), new Own(ExtensionClass.Filter, (_, view) =>
        {
            var sends = view;
            statuses.AddRange(Enumerable.Range(0, 50).Select(_ => sends.Originate(OidCode.Parameters).Status));
            return default;
        }));
        Assert.Equal(16, verdict.Originated!.Count);
        Assert.Equal([.. Enumerable.Repeat(NdisStatus.Success, 16), .. Enumerable.Repeat(NdisStatus.Resources, 34)], statuses);
        Assert.Equal("originated.number", Assert.Single(verdict.Faults).Rule);
    }

    [Fact]
    public void What_is_not_allowed_counts_as_well()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        var verdict = Down(Create(7), new Own(ExtensionClass.Filter, (_, view) =>
        {
            for (var n = 0; n < 50; n++)
            {
                view.Originate(OidCode.PortDelete);
            }
            return default;
        }));
        Assert.Equal([.. Enumerable.Repeat("X26", 16), "originated.number"], verdict.Faults.Select(fault => fault.Rule));
        Assert.Null(verdict.Originated);
    }

    [Fact]
    public void Originated_oids_are_inside_each_other_so_deep_and_no_deeper()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        // Each sends one of its own at the OID that the one above it has sent, and at nothing else.
        var stack = Enumerable.Range(0, 7).Select(n => new Own(ExtensionClass.Filter, (request, view) =>
            request.Oid == OidCode.PortCreate == (view.Position == 0) ? view.Originate(OidCode.Parameters) : default)).ToArray();
        var verdict = Down(Create(7), stack);
        Assert.Contains("originated.depth", verdict.Faults.Select(fault => fault.Rule));
        Assert.Equal(4, verdict.Originated!.Max(Depth));
        Assert.InRange(verdict.Originated!.Count, 4, 16);

        int Depth(OriginatedOid own) => 1 + (verdict.Originated!.FirstOrDefault(other => other.RequestId == own.Parent) is { } above ? Depth(above) : 0);
    }

    [Fact]
    public void Originated_oid_is_not_pended()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        var answer = default(OriginatedAnswer);
        var verdict = Down(Create(7), new Own(ExtensionClass.Filter, (_, view) => answer = view.Originate(OidCode.PortArray)),
            new Own(ExtensionClass.Filter, answer: request => request.Oid == OidCode.PortArray ? ExtensionAnswer.Pend : ExtensionAnswer.PassOn));
        Assert.Equal(("originated.pended", 1), (Assert.Single(verdict.Faults).Rule, verdict.Faults[0].Position));
        Assert.Equal(NdisStatus.Success, answer.Status);
        Assert.Null(verdict.Pause);
    }

    [Fact]
    public void Defect_of_an_extension_below_is_its_own()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        var answer = default(OriginatedAnswer);
        var verdict = Down(Create(7), new Own(ExtensionClass.Filter, (_, view) => answer = view.Originate(OidCode.PortArray)),
            new Own(ExtensionClass.Filter, answer: request => request.Oid == OidCode.PortArray ? throw new InvalidOperationException("no") : ExtensionAnswer.PassOn));
        Assert.Equal(("defect", 1), (Assert.Single(verdict.Faults).Rule, verdict.Faults[0].Position));
        Assert.Equal(NdisStatus.Success, answer.Status);
    }

    [Theory]
    [InlineData("Created", NdisStatus.Failure)]
    [InlineData("Connected", NdisStatus.Success)]
    [InlineData("Disconnecting", NdisStatus.Failure)]
    [InlineData("Held", NdisStatus.Success)]
    public void R17_Request_is_sent_while_both_nics_can_be_referenced_or_not_at_all(string state, NdisStatus status)
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        Uplink(8);
        Port(7);
        Does(OidCode.NicCreate, 7, 0, new NicParameters("eth0", VmName: "web"));
        if (state != "Created")
        {
            Does(OidCode.NicConnect, 7);
        }
        if (state == "Held")
        {
            _world.Do(Sw, new TakeHoldAt("h1", "test", 7, 0, "test"));
        }
        var answer = default(OriginatedAnswer);
        var handled = new OidRequest("r", state is "Disconnecting" or "Held" ? OidCode.NicDisconnect : OidCode.PortUpdated, 7, 0);
        var verdict = Down(handled, new Own(ExtensionClass.Forward, (_, view) => answer = view.Originate(OidCode.NicRequest, Query(7))));
        Assert.Empty(verdict.Faults);
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == NdisStatus.Success ? 1 : 0, Assert.Single(verdict.Originated!).Trace.Count);
    }

    [Theory]
    [InlineData(0, 8, 0)] // to the external adapter itself
    [InlineData(0, 7, 0)] // to a VM
    [InlineData(8, 8, 1)] // on behalf of the uplink
    [InlineData(0, 0, 0)] // to the extensions
    public void Request_goes_from_the_extension_or_a_vm_to_an_adapter_below_the_external_one(int source, int destination, int index)
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report);
        Uplink(8);
        Port(7);
        var verdict = Down(Create(9), new Own(ExtensionClass.Forward, (_, view) =>
            view.Originate(OidCode.NicRequest, new NicRequestParameters((uint)source, 0, (uint)destination, index, new OidCode(0x00010238)))));
        Assert.Equal("switch.md 2.8", Assert.Single(verdict.Faults).Rule);
        Assert.Null(verdict.Originated);
    }

    static NicRequestParameters Query(uint source) => new(source, 0, 8, 1, new OidCode(0x00010238));

    void Uplink(uint port)
    {
        Does(OidCode.PortCreate, port, 0, new PortParameters($"p{port}", PortType: PortType.External));
        for (var index = 0; index <= 1; index++)
        {
            Does(OidCode.NicCreate, port, index, new NicParameters("adapter", NicType.External));
        }
        for (var index = 0; index <= 1; index++)
        {
            Does(OidCode.NicConnect, port, index);
        }
    }

    void Port(uint port) => Does(OidCode.PortCreate, port, 0, new PortParameters($"p{port}"));

    static OidRequest Create(uint port) => new("r", OidCode.PortCreate, port, 0, new PortParameters($"p{port}"));

    void Does(OidCode oid, uint port, int index = 0, OidParameters? parameters = null) => Assert.Equal(
        NdisStatus.Success, ((OidOutcome)_world.Oid(Sw, new OidRequest($"r-{++_requests}", oid, port, index, parameters)).Reply!).Status);

    StackVerdict Down(OidRequest request, params Own[] stack) => Down(_world, request, stack);

    static StackVerdict Down(World world, OidRequest request, params Own[] stack)
    {
        var known = stack.Index().ToDictionary(one => $"own-{one.Index}", one => (IExtension)one.Item);
        var here = world.Switch(Sw);
        return Stack.Down(
            here with { Definition = here.Definition with { Extensions = [.. stack.Index().Select(one => new ExtensionDefinition($"own-{one.Index}", one.Item.Of))] } },
            request, known: known);
    }

    /// <summary>An extension that sends something, and answers.</summary>
    sealed class Own(ExtensionClass of, Own.Sending? sends = null, Func<OidRequest, ExtensionAnswer>? answer = null) : IExtension
    {
        public delegate OriginatedAnswer Sending(OidRequest request, StackView view);

        public ExtensionClass Of => of;

        public string Name => "own";

        public ExtensionClass? Class => null;

        public ExtensionAnswer Ask(OidRequest request, in StackView view)
        {
            _ = sends?.Invoke(request, view);
            return answer?.Invoke(request) ?? ExtensionAnswer.PassOn;
        }
    }
}
