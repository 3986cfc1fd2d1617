using System.Collections.Frozen;
using System.Text.Json;
using ControlPlane.Actors.Switches;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The example of docs/EXTENSIONS.md is what is compiled here, and it does what the page says.</summary>
public sealed class ExtensionPageTests
{
    static readonly FrozenDictionary<string, IExtension> Known = new IExtension[] { new NameFilter() }.ToFrozenDictionary(extension => extension.Name);

    readonly SwitchState.Here _switch = (SwitchState.Here)SwitchLifecycle.Evolve(
        SwitchLifecycle.Initial(EntityId.Switch("hv01", "sw")),
        new SwitchDefined(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [new ExtensionDefinition("filter.names", ExtensionClass.Filter)])));

    [Theory]
    [InlineData("NameFilter.cs")]
    [InlineData("NicCensus.cs")]
    public void Page_shows_the_class_that_is_compiled(string file)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "ControlPlane.sln")))
        {
            root = root.Parent ?? throw new DirectoryNotFoundException("ControlPlane.sln");
        }
        var page = File.ReadAllText(Path.Combine(root.FullName, "docs", "EXTENSIONS.md"));
        var compiled = File.ReadAllText(Path.Combine(root.FullName, "tests", "Conformance", "Extensions", file));
        Assert.Contains($"```csharp\n{compiled}```", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Example_owns_its_property_and_refuses_by_it()
    {
        var property = new PropertyParameters(PropertyType.Custom, "i1", NameFilter.Prefix, 1, JsonSerializer.SerializeToElement("vm-"));
        var added = Stack.Down(_switch, new OidRequest("r1", OidCode.PropertyAdd, 0, 0, property), known: Known);
        Assert.Equal("filter.names", added.Owner);
        Assert.Empty(added.Faults);

        var named = (SwitchState.Here)SwitchLifecycle.Evolve(_switch, new ExtensionAttached("filter.names", ExtensionClass.Filter, true, added.Keeps!));
        Assert.Null(Stack.Down(named, Create("vm-1"), known: Known).Refused);
        Assert.Equal(NdisStatus.DataNotAccepted, Stack.Down(named, Create("other"), known: Known).Refused?.Status);
        Assert.Null(Stack.Down(_switch, Create("other"), known: Known).Refused);
    }

    [Fact]
    public void Example_asks_for_the_nics_and_refuses_by_what_it_gets()
    {
        var world = new World().Connect("hv01");
        var id = EntityId.Switch("hv01", "sw");
        world.DefineSwitch(id, DriftPolicy.Report);
        Assert.Null(Asked(max: 1).Refused);
        world.Oid(id, new OidRequest("p", OidCode.PortCreate, 1, 0, new PortParameters("p1")));
        world.Oid(id, new OidRequest("n", OidCode.NicCreate, 1, 0, new NicParameters("eth0", VmName: "web")));
        Assert.Null(Asked(max: 1).Refused);
        world.Oid(id, new OidRequest("c", OidCode.NicConnect, 1));
        Assert.Equal(NdisStatus.Resources, Asked(max: 1).Refused?.Status);
        Assert.Null(Asked(max: 2).Refused);

        StackVerdict Asked(int max)
        {
            var here = world.Switch(id);
            ExtensionDefinition census = new("filter.census", ExtensionClass.Filter, true, new ExtensionSettings(max));
            return Stack.Down(here with { Definition = here.Definition with { Extensions = [census] } },
                new OidRequest("r", OidCode.NicCreate, 2, 0, new NicParameters("eth1", VmName: "web")),
                known: new Dictionary<string, IExtension> { ["filter.census"] = new NicCensus() });
        }
    }

    [Fact]
    public void Extension_that_keeps_more_than_it_may_is_at_fault_and_keeps_nothing()
    {
        var property = new PropertyParameters(PropertyType.Custom, "i1", NameFilter.Prefix, 1, JsonSerializer.SerializeToElement(new string('x', 20_000)));
        var verdict = Stack.Down(_switch, new OidRequest("r1", OidCode.PropertyAdd, 0, 0, property), known: Known);
        Assert.Equal("kept", Assert.Single(verdict.Faults).Rule);
        Assert.Null(verdict.Keeps);
    }

    [Fact]
    public void Extension_that_answers_a_feature_with_more_than_it_may_is_at_fault_and_the_oid_goes_on()
    {
        Assert.Null(Status(16 * 1024 + 1).Completed);
        Assert.Equal("X28", Assert.Single(Status(16 * 1024 + 1).Faults).Rule);
        Assert.NotNull(Status(16 * 1024).Completed);

        StackVerdict Status(int bytes) => Stack.Down(_switch, new OidRequest("r1", OidCode.FeatureStatusQuery, 0, 0, new FeatureStatusParameters("f")),
            known: new Dictionary<string, IExtension> { ["filter.names"] = new Talkative(bytes) });
    }

    /// <summary>A filter whose feature has a long status.</summary>
    sealed class Talkative(int bytes) : IExtension
    {
        public string Name => "filter.names";

        public ExtensionClass? Class => ExtensionClass.Filter;

        public ExtensionAnswer Ask(OidRequest request, in StackView view) =>
            ExtensionAnswer.Status(request, JsonSerializer.SerializeToElement(new string('x', bytes - 2)));
    }

    static OidRequest Create(string name) => new("r2", OidCode.PortCreate, 1, 0, new PortParameters(name));
}
