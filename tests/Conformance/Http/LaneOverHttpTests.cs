using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Scenarios that need more of the entry than one OID after another: statuses, direct OIDs, a switch that failed, time.</summary>
[Collection(OverHttp.Name)]
public sealed class LaneOverHttpTests(RunningControlPlane running) : Scenario(new HttpTarget(running))
{
    string Path => $"/v1/hosts/{RunningControlPlane.Host}/switches/{Target.Switch}";

    [Fact]
    public async Task O07_Status_of_a_nic_is_not_forwarded_after_its_disconnect_unless_it_is_held()
    {
        await Target.DefineSwitch();
        await Connected();
        Assert.True((await Indicate()).Done);
        var hold = (await Target.Hold("e3", P, 0)).Id!;
        await DisconnectNic();
        Assert.True((await Indicate()).Done);
        await Target.Release(hold);
        Assert.Equal("nic.status.not-connected", (await Indicate()).Code);
    }

    [Fact]
    public async Task O08_Direct_oids_and_regular_ones_of_a_nic_do_not_wait_for_each_other()
    {
        await Target.DefineSwitch();
        await Connected();
        var both = Enumerable.Range(0, 20).Select(i => new OidRequest(
            $"lane-{Target.Switch}-{i}", i % 2 == 0 ? OidCode.NicDirectRequest : OidCode.NicUpdated, P, 0,
            i % 2 == 0 ? null : Nic() with { Mtu = 1400 + i }));
        Assert.All(await Target.OidsAtOnce(both), verdict => Assert.Equal(NdisStatus.Success, verdict.Outcome?.Status));
    }

    [Fact]
    public async Task O09_Lists_of_a_switch_that_is_not_active_are_refused_and_recorded()
    {
        await Target.Plant(DriverVerb.EnsureSwitch, NdisStatus.Failure);
        await Target.DefineSwitch();
        foreach (var oid in new[] { OidCode.PortArray, OidCode.NicArray })
        {
            var refusal = (await Target.Oid(new OidRequest($"{Target.Switch}-{oid}", oid, 0))).Refusal;
            Assert.Equal(("switch.not-active", "O09"), (refusal?.Code, refusal?.Rule));
        }
        Assert.Equal(2, (await Target.Events(EntityId.Switch(RunningControlPlane.Host, Target.Switch))).Count(type => type == "OidRejected"));
    }

    [Fact]
    public async Task O11_Name_is_taken_whole_or_not_at_all_and_never_cut_at_a_nul()
    {
        await Target.DefineSwitch();
        var withNul = await Try(OidCode.PortCreate, parameters: Port(name: $"{PortName(P)}\0more"));
        Assert.Equal((400, "name.control"), (withNul.Http, withNul.Refusal?.Code));
        const string odd = "Ü{A1} \ud83d\udd0c";
        await CreatePort(friendlyName: odd);
        var ports = (await Does(OidCode.PortArray, 0)).Output!.Value;
        Assert.Equal((1, odd), (ports.GetProperty("numElements").GetInt32(), ports.GetProperty("elements")[0].GetProperty("portFriendlyName").GetString()));
    }

    [Fact]
    public async Task R09_Stop_at_a_leaked_reference_raises_the_alarm_with_the_holder_and_forces_nothing()
    {
        await Target.DefineSwitch();
        var vm = $"leak-{Target.Switch}";
        await Target.DefineVm(vm, new NicDefinition("eth0", Target.Switch, NicType.Synthetic, MacAddress.ForNic(vm, "eth0")));
        await Target.StartVm(vm);
        Assert.NotNull((await Target.Hold("forward.leaky", 1, 0)).Id);
        await Target.StopVm(vm);
        await RunningControlPlane.Until(
            async () => (await Alarms()).Contains("forward.leaky", StringComparison.Ordinal), "an alarm names the holder");
        Assert.Equal("stopping", await Target.Power(vm));
    }

    async Task<string> Alarms() => await running.Client.GetStringAsync(new Uri("/v1/alarms?limit=1000", UriKind.Relative));

    async Task<(bool Done, string? Code)> Indicate()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{Path}/statuses", UriKind.Relative));
        request.Headers.Add("Idempotency-Key", $"{Guid.CreateVersion7():D}");
        request.Content = JsonContent.Create(new { portId = P, nicIndex = 0, status = "NDIS_STATUS_SWITCH_NIC_STATUS" });
        using var response = await running.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.IsSuccessStatusCode, text.Length == 0 ? null : (string?)JsonNode.Parse(text)!["code"]);
    }
}
