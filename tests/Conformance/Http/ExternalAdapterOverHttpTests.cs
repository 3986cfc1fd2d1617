using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>The external adapter that a switch starts and stops itself, as people see it.</summary>
[Collection(OverHttp.Name)]
public sealed class ExternalAdapterOverHttpTests(RunningControlPlane running) : Scenario(new HttpTarget(running))
{
    Uri Path => new($"/v1/hosts/{RunningControlPlane.Host}/switches/{Target.Switch}", UriKind.Relative);

    EntityId Uplink => EntityId.Port(RunningControlPlane.Host, Target.Switch, "external-adapter");

    [Fact]
    public async Task L07_L08_Switch_shows_its_uplink_usable_and_is_deleted_with_it()
    {
        using var put = await running.Client.PutAsync(Path, JsonContent.Create(new { kind = "external", uplink = "eth0,eth1", drift = "report", extensions = Array.Empty<object>() }));
        Assert.True(put.IsSuccessStatusCode);
        await RunningControlPlane.Until(async () => (string?)(await Adapter())?["state"] == "up", "the external adapter is up");
        var adapter = (await Adapter())!;
        Assert.Equal((true, "eth0 eth1"), ((bool)adapter["uplinkUsable"]!, string.Join(' ', adapter["members"]!.AsArray().Select(name => (string)name!))));
        await Happened(SwitchId, "SwitchReady", "ExternalAdapterStarting", "OidCompleted", "ExternalAdapterStarted");

        using var delete = await running.Client.DeleteAsync(Path);
        Assert.True(delete.IsSuccessStatusCode, $"{delete.StatusCode}");
        await Happened(SwitchId, "ExternalAdapterStopping", "OidCompleted", "ExternalAdapterStopped", "SwitchDeleteStarted", "SwitchDeleted");
        await Happened(Uplink, "PortCreated", "NicDetached", "NicDetached", "NicDetached", "PortTornDown", "PortDeleted");
    }

    [Fact]
    public async Task X18_Uplink_of_the_same_device_twice_is_refused()
    {
        using var put = await running.Client.PutAsync(Path, JsonContent.Create(new { kind = "external", uplink = "eth0,eth0", drift = "report", extensions = Array.Empty<object>() }));
        Assert.Equal((422, "switch.uplink.members"), ((int)put.StatusCode, (string?)JsonNode.Parse(await put.Content.ReadAsStringAsync())!["code"]));
    }

    async Task<JsonNode?> Adapter() => JsonNode.Parse(await running.Client.GetStringAsync(Path))!["adapter"];
}
