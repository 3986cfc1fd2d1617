using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 2.5 to 2.7: properties and features of the switch itself, and what its queries answer.</summary>
public abstract class SwitchScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    const string Feature = "8d4bb1a0-0000-4000-8000-0000000000f1";

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Property_of_the_switch_is_added_listed_updated_and_deleted()
    {
        await DefineThree(filter: new ExtensionSettings(Owns: [Feature]));
        await Does(OidCode.PropertyAdd, 0, parameters: Property(1));
        var listed = (await Does(OidCode.PropertyEnum, 0, parameters: new QueryParameters(PropertyType: PropertyType.Custom, PropertyId: Feature))).Output!.Value;
        Assert.Equal((1, "test.verdict", 7), (
            listed.GetProperty("numProperties").GetInt32(), First(listed).GetProperty("enforcedBy").GetString(), First(listed).GetProperty("value").GetProperty("level").GetInt32()));
        await Does(OidCode.PropertyUpdate, 0, parameters: Property(1, level: 8));
        Assert.Equal(8, First((await Does(OidCode.PropertyEnum, 0)).Output!.Value).GetProperty("value").GetProperty("level").GetInt32());
        await Does(OidCode.PropertyDelete, 0, parameters: Property(1));
        Assert.Equal(0, (await Does(OidCode.PropertyEnum, 0)).Output!.Value.GetProperty("numProperties").GetInt32());
        Assert.Equal(3, await Times("SwitchPropertyChanged"));
    }

    [Theory]
    [InlineData("PROPERTY_UPDATE", 2, "i1")]
    [InlineData("PROPERTY_UPDATE", 1, "i2")]
    [InlineData("PROPERTY_DELETE", 1, "i2")]
    [InlineData("PROPERTY_ADD", 1, "i1")]
    public async Task V17_Instance_or_version_that_is_not_there_is_an_invalid_parameter_and_the_old_value_is_kept(string oid, int version, string instance)
    {
        await Does(OidCode.PropertyAdd, 0, parameters: Property(1));
        var outcome = (await Try(OidCode.Parse($"OID_SWITCH_{oid}")!.Value, 0, parameters: Property(version, instance, 9))).Outcome!;
        Assert.Equal((NdisStatus.InvalidParameter, RefusedBy.EdgePosition), (outcome.Status, outcome.RefusedBy!.Position));
        Assert.Equal(7, First((await Does(OidCode.PropertyEnum, 0)).Output!.Value).GetProperty("value").GetProperty("level").GetInt32());
    }

    [Fact]
    public async Task Refused_property_of_the_switch_is_not_there_and_who_agreed_undoes()
    {
        await DefineThree(forward: Answers(OidCode.PropertyAdd));
        var outcome = (await Try(OidCode.PropertyAdd, 0, parameters: Property(1))).Outcome!;
        Assert.Equal((NdisStatus.DataNotAccepted, 2), (outcome.Status, outcome.RefusedBy!.Position));
        Assert.Equal((1, 2, 0), (await Times("OidRefused"), await Times("OidUndone"), await Times("SwitchPropertyChanged")));
    }

    [Fact]
    public Task Property_of_the_switch_that_is_not_custom_is_rejected() =>
        Rejects("property.type", "switch.md 1.5", () => Try(OidCode.PropertyAdd, 0, parameters: Security()));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Feature_status_is_answered_by_its_owner_and_a_small_buffer_gets_the_size(bool ofPort)
    {
        var oid = ofPort ? OidCode.PortFeatureStatusQuery : OidCode.FeatureStatusQuery;
        await DefineThree(filter: new ExtensionSettings(Owns: [Feature]));
        await CreatePort();
        var answered = await Does(oid, parameters: new FeatureStatusParameters(Feature));
        Assert.Equal($"Filter {Feature}", answered.Output!.Value.GetString());
        Assert.DoesNotContain(answered.Trace, step => step.Position is 2 or -1);
        var small = (await Try(oid, parameters: new FeatureStatusParameters(Feature, Capacity: 4))).Outcome!;
        Assert.Equal((NdisStatus.InvalidLength, $"\"Filter {Feature}\"".Length), (small.Status, small.BytesNeeded));
        Assert.Empty(small.Faults);
        Assert.Equal(NdisStatus.NotSupported, (await Try(oid, parameters: new FeatureStatusParameters("nobody's"))).Outcome?.Status);
    }

    [Fact]
    public async Task Feature_status_of_a_port_that_is_not_there_is_rejected() =>
        await Rejects("port.absent", "X25", () => Try(OidCode.PortFeatureStatusQuery, Q, parameters: new FeatureStatusParameters(Feature)));

    [Fact]
    public async Task Lists_have_a_revision_an_element_size_and_validation_ports()
    {
        await Connected();
        await CreatePort(Q, validation: true, friendlyName: "for a check");
        var ports = (await Does(OidCode.PortArray, 0)).Output!.Value;
        Assert.Equal((1, 24, 1056, 2), (Number(ports, "revision"), Number(ports, "firstElementOffset"), Number(ports, "elementSize"), Number(ports, "numElements")));
        var second = ports.GetProperty("elements")[1];
        Assert.Equal((true, "for a check", "Created"), (
            second.GetProperty("isValidationPort").GetBoolean(), second.GetProperty("portFriendlyName").GetString(), second.GetProperty("portState").GetString()));
        var nics = (await Does(OidCode.NicArray, 0)).Output!.Value;
        Assert.Equal((1, 2208, 1), (Number(nics, "revision"), Number(nics, "elementSize"), Number(nics, "numElements")));
        Assert.Equal(("Connected", "Synthetic"), (nics.GetProperty("elements")[0].GetProperty("nicState").GetString(), nics.GetProperty("elements")[0].GetProperty("nicType").GetString()));
    }

    [Fact]
    public async Task List_in_a_buffer_that_is_too_small_is_an_invalid_length_with_the_size_that_is_needed()
    {
        await CreatePort();
        await CreatePort(Q);
        var small = (await Try(OidCode.PortArray, 0, parameters: new QueryParameters(1000))).Outcome!;
        Assert.Equal((NdisStatus.InvalidLength, 24 + 2 * 1056), (small.Status, small.BytesNeeded));
        Assert.Null(small.Output);
        await Does(OidCode.PortArray, 0, parameters: new QueryParameters(small.BytesNeeded));
    }

    [Fact]
    public async Task Query_asked_again_by_its_id_says_that_a_large_output_is_not_held()
    {
        await CreatePort();
        for (var n = 0; n < 4; n++)
        {
            await Does(OidCode.PropertyAdd, 0, parameters: new PropertyParameters(
                PropertyType.Custom, $"i{n}", Feature, 0, JsonSerializer.SerializeToElement(new string('x', 2_000))));
        }
        var id = NextRequest();
        var said = (await Does(OidCode.PropertyEnum, 0, request: id)).Output!.Value.GetRawText();
        var again = await Does(OidCode.PropertyEnum, 0, request: id);
        Assert.Equal((null, said.Length), (again.Output, again.OutputNotKept));
    }

    [Fact]
    public async Task O13_Value_larger_than_one_may_be_is_rejected()
    {
        var large = JsonSerializer.SerializeToElement(new string('x', 64 * 1024));
        await Rejects("oid.value.large", "switch.md 2.1", () => Try(OidCode.PropertyAdd, 0, parameters: new PropertyParameters(PropertyType.Custom, "i1", Feature, 0, large)));
    }

    [Fact]
    public async Task Parameters_say_name_ports_and_activation()
    {
        await CreatePort();
        var parameters = (await Does(OidCode.Parameters, 0)).Output!.Value;
        Assert.Equal((Target.Switch, 1, true), (
            parameters.GetProperty("switchName").GetString(), Number(parameters, "numSwitchPorts"), parameters.GetProperty("isActive").GetBoolean()));
    }

    [Fact]
    public async Task Query_that_an_extension_answers_itself_is_a_fault_and_goes_on()
    {
        await DefineThree(filter: Answers(OidCode.PortArray, NdisStatus.Failure));
        await CreatePort(); // the switch is active then
        var outcome = await Does(OidCode.PortArray, 0);
        Assert.Equal("X28", Assert.Single(outcome.Faults).Rule);
        Assert.NotNull(outcome.Output);
    }

    [Theory]
    [InlineData("PORT_CREATE", 1, 1055)]
    [InlineData("PORT_CREATE", 0, 1056)]
    [InlineData("NIC_SAVE", 1, 567)]
    public async Task O13_Structure_below_its_first_revision_is_rejected(string oid, int revision, int size) =>
        await Rejects(revision < 1 ? "oid.revision" : "oid.size", "O13", () => Target.Oid(
            new OidRequest(NextRequest(), OidCode.Parse($"OID_SWITCH_{oid}")!.Value, P, 0, oid == "PORT_CREATE" ? Port() : null), new PayloadHeader(revision, size)));

    [Fact]
    public async Task O13_Later_revision_or_larger_structure_is_taken()
    {
        var verdict = await Target.Oid(new OidRequest(NextRequest(), OidCode.PortCreate, P, 0, Port()), new PayloadHeader(2, 2000));
        Assert.True(verdict.Succeeded, $"{verdict}");
    }

    static JsonElement First(JsonElement list) => list.GetProperty("properties")[0];

    static int Number(JsonElement element, string field) => element.GetProperty(field).GetInt32();

    static PropertyParameters Property(int version, string instance = "i1", int level = 7) =>
        new(PropertyType.Custom, instance, Feature, version, JsonSerializer.SerializeToElement(new { level }));
}
