using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 3.2, state by state and OID by OID: docs/oid-table.md says what each cell is, and every cell is tried.</summary>
public abstract class StateTableScenarios(ITarget target) : Scenario(target), IAsyncLifetime
{
    const string Prefix = "OID_SWITCH_";
    const string CustomId = "8f5c3a4e-0000-4000-8000-000000000001";

    static readonly string[] States =
        ["no port", "port created", "NIC created", "NIC connected", "NIC disconnected", "NIC deleted", "port torn down"];

    public static TheoryData<string> EveryState => [.. States];

    public async Task InitializeAsync() => await Target.DefineSwitch();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public void Table_has_a_row_for_every_oid_and_no_empty_cell()
    {
        var table = Table();
        Assert.Equal(
            OidCode.All.Select(oid => oid.ToString()[Prefix.Length..]).Order(StringComparer.Ordinal),
            table.Keys.Where(oid => !oid.StartsWith("0x", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Contains(table.Keys, oid => oid.StartsWith("0x", StringComparison.Ordinal));
        Assert.All(table.Values, cells => Assert.Equal(States.Length, cells.Count(cell => cell is not ("" or "?"))));
    }

    [Theory]
    [MemberData(nameof(EveryState))]
    public async Task Every_oid_is_answered_as_the_table_says(string state)
    {
        var (wrong, port) = (new List<string>(), 100u);
        foreach (var (name, cells) in Table())
        {
            var oid = OidCode.Parse(name.StartsWith("0x", StringComparison.Ordinal) ? name : Prefix + name)!.Value;
            await Reach(state, ++port, oid);
            var before = await Target.Picture();
            var verdict = await Try(oid, port, parameters: Payload(oid, port));
            var seen = verdict.Refusal is { } refusal ? refusal.Rule ?? refusal.Code
                : verdict.Outcome!.Status == NdisStatus.Success ? "done" : verdict.Outcome.Status.Name()["NDIS_STATUS_".Length..];
            var expected = cells[Array.IndexOf(States, state)];
            if (seen != expected)
            {
                wrong.Add($"{state}, {name}: {seen}, the table says {expected} ({verdict})");
            }
            if (seen != "done" && before != await Target.Picture())
            {
                wrong.Add($"{state}, {name}: {seen} and something changed");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>Brings a port of its own into the state, with what the OID needs to find there.</summary>
    async Task Reach(string state, uint port, OidCode oid)
    {
        if (oid == OidCode.PropertyUpdate || oid == OidCode.PropertyDelete)
        {
            await Does(OidCode.PropertyAdd, 0, parameters: Property(PropertyType.Custom, port));
        }
        var at = Array.IndexOf(States, state);
        if (at == 0)
        {
            return;
        }
        await CreatePort(port);
        if (oid == OidCode.PortPropertyUpdate || oid == OidCode.PortPropertyDelete || oid == OidCode.PortPropertyEnum)
        {
            await Does(OidCode.PortPropertyAdd, port, parameters: Property(PropertyType.Custom, port));
        }
        if (at == 6)
        {
            await Does(OidCode.PortTeardown, port);
            return;
        }
        OidCode[] ladder = [OidCode.NicCreate, OidCode.NicConnect, OidCode.NicDisconnect, OidCode.NicDelete];
        foreach (var step in ladder[..(at - 1)])
        {
            await Does(step, port, parameters: step == OidCode.NicCreate ? Nic(port) : null);
        }
    }

    OidParameters? Payload(OidCode oid, uint port) =>
        oid == OidCode.PortCreate || oid == OidCode.PortUpdated ? Port(port)
        : oid == OidCode.NicCreate || oid == OidCode.NicUpdated ? Nic(port)
        : oid == OidCode.NicRequest ? new NicRequestParameters(port, 0, 0, 0, new OidCode(0x01010103))
        : oid == OidCode.NicRestore ? new NicRestoreParameters("nobody", Convert.ToBase64String([1, 2, 3]), "nobody", null)
        : oid == OidCode.FeatureStatusQuery || oid == OidCode.PortFeatureStatusQuery ? new FeatureStatusParameters(CustomId)
        : oid == OidCode.PortPropertyEnum || oid == OidCode.PropertyEnum ? null
        : oid.ToString().Contains("PROPERTY", StringComparison.Ordinal) ? Property(PropertyType.Custom, port)
        : null;

    static PropertyParameters Property(PropertyType type, uint port) =>
        new(type, string.Create(CultureInfo.InvariantCulture, $"instance-{port}"), CustomId, 1, System.Text.Json.JsonSerializer.SerializeToElement(7));

    static SortedDictionary<string, string[]> Table()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ControlPlane.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }
        var rows = File.ReadLines(Path.Combine(folder, "docs", "oid-table.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Trim('|', ' ').Split(" | "))
            .ToList();
        Assert.Equal(States, rows[0][1..]);
        return new(rows[1..].ToDictionary(row => row[0], row => row[1..]), StringComparer.Ordinal);
    }
}
