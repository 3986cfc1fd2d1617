using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Api.Tests;

/// <summary>What goes over the wire for each command.</summary>
public sealed class CliTestsRequests
{
    [Theory]
    [InlineData("host list", "/v1/hosts")]
    [InlineData("host show hv01", "/v1/hosts/hv01")]
    [InlineData("switch list hv01", "/v1/hosts/hv01/switches")]
    [InlineData("switch show hv01/vsw0", "/v1/hosts/hv01/switches/vsw0")]
    [InlineData("port list hv01/vsw0", "/v1/hosts/hv01/switches/vsw0/ports")]
    [InlineData("port show hv01/vsw0/p1", "/v1/ports/hv01/vsw0/p1")]
    [InlineData("port history hv01/vsw0/p1 --from 2026-11-22T10:00:00Z", "/v1/ports/hv01/vsw0/p1/history?from=2026-11-22T10%3A00%3A00Z")]
    [InlineData("nic list hv01/vsw0", "/v1/hosts/hv01/switches/vsw0/nics")]
    [InlineData("nic show web-1/eth0", "/v1/nics/web-1/eth0")]
    [InlineData("nic history web-1/eth0 --limit 5", "/v1/nics/web-1/eth0/history?limit=5")]
    [InlineData("vm list --page-token t", "/v1/vms?pageToken=t")]
    [InlineData("vm show a?b#c%d", "/v1/vms/a%3Fb%23c%25d")]
    [InlineData("vm history web-1", "/v1/vms/web-1/history")]
    [InlineData("migration list --limit 7", "/v1/migrations?limit=7")]
    [InlineData("migration show web-1~1", "/v1/migrations/web-1~1")]
    [InlineData("migration history web-1~1", "/v1/migrations/web-1~1/history")]
    [InlineData("operation show op-1", "/v1/operations/op-1")]
    [InlineData("alarm list", "/v1/alarms")]
    [InlineData("events --actor vm/web-1 --type VmStarted --who ann --from a --to b", "/v1/events?actor=vm%2Fweb-1&type=VmStarted&who=ann&from=a&to=b")]
    public async Task Looking_is_one_get_of_the_resource(string line, string target)
    {
        await using var stub = await CliStub.Start();
        await stub.Run(line.Split(' '));
        Assert.Equal(("GET", target), (stub.Only.Method, stub.Only.Target));
        Assert.Null(stub.Only.Header("Idempotency-Key"));
    }

    [Theory]
    [InlineData("vm set web-1 --host hv01 --nic name=eth0,switch=vsw0,mac=00-15-5d-01-02-03,mtu=1500,vlan=7,attach=veth --nic name=eth1,switch=vsw1,type=emulated",
        "PUT", "/v1/vms/web-1",
        """{"host":"hv01","nics":[{"name":"eth0","switch":"vsw0","mac":"00-15-5d-01-02-03","mtu":1500,"vlan":7,"attach":"veth"},{"name":"eth1","switch":"vsw1","type":"emulated"}]}""")]
    [InlineData("switch set hv01/vsw0 --kind external --uplink eth9 --drift repair --extension name=filter.quota,class=filter,setting.maxPorts=10 --extension name=filter.mac-guard,class=filter,enabled=false,setting.allowSpoofing=true",
        "PUT", "/v1/hosts/hv01/switches/vsw0",
        """{"kind":"external","uplink":"eth9","drift":"repair","extensions":[{"enabled":true,"name":"filter.quota","class":"filter","settings":{"maxPorts":10}},{"enabled":false,"name":"filter.mac-guard","class":"filter","settings":{"allowSpoofing":true}}]}""")]
    [InlineData("host delete hv02", "DELETE", "/v1/hosts/hv02", "")]
    [InlineData("host delete hv02 --force --dry-run", "DELETE", "/v1/hosts/hv02?force=true&dryRun=true", "")]
    [InlineData("host join-token hv02", "POST", "/v1/hosts/hv02/join-token", "")]
    [InlineData("host readmit hv02", "POST", "/v1/hosts/hv02/readmit", "")]
    [InlineData("switch delete hv01/vsw0", "DELETE", "/v1/hosts/hv01/switches/vsw0", "")]
    [InlineData("vm delete web-1 --dry-run", "DELETE", "/v1/vms/web-1?dryRun=true", "")]
    [InlineData("vm nic add web-1 --nic name=eth1,switch=vsw0,vlan=7", "POST", "/v1/vms/web-1/nics?wait=30s", """{"name":"eth1","switch":"vsw0","vlan":7}""")]
    [InlineData("vm nic remove web-1/eth1 --no-wait", "DELETE", "/v1/vms/web-1/nics/eth1", "")]
    [InlineData("vm start web-1 --no-wait", "POST", "/v1/vms/web-1/start", "")]
    [InlineData("vm start web-1", "POST", "/v1/vms/web-1/start?wait=30s", "")]
    [InlineData("vm stop web-1 --wait 1500ms --dry-run", "POST", "/v1/vms/web-1/stop?dryRun=true&wait=1500ms", "")]
    [InlineData("vm migrate web-1 --to hv02", "POST", "/v1/vms/web-1/migrations?wait=30s", """{"destination":"hv02"}""")]
    [InlineData("vm migrate web-1 --to hv02 --no-wait --deadline 60 --max-blackout 200 --guest external", "POST", "/v1/vms/web-1/migrations",
        """{"destination":"hv02","deadlineSeconds":60,"maxBlackoutMs":200,"guest":"external"}""")]
    [InlineData("vm migrate web-1 --to hv02 --dry-run", "POST", "/v1/vms/web-1/migrations?dryRun=true", """{"destination":"hv02"}""")]
    [InlineData("vm migrate web-1 --to hv02 --watch", "POST", "/v1/vms/web-1/migrations", """{"destination":"hv02"}""")]
    [InlineData("migration cancel web-1~1", "POST", "/v1/migrations/web-1~1/cancel", "")]
    [InlineData("migration guest web-1~1 paused", "POST", "/v1/migrations/web-1~1/guest", """{"event":"paused"}""")]
    [InlineData("actor unpark nic/web-1/eth0 --drop true", "POST", "/v1/actors/nic%2Fweb-1%2Feth0/unpark", """{"drop":true}""")]
    [InlineData("actor unpark vm/web-1 --drop false", "POST", "/v1/actors/vm%2Fweb-1/unpark", """{"drop":false}""")]
    [InlineData("hold add hv01/vsw0 --port-id 7 --nic-index 0 --holder ann --purpose demo", "POST", "/v1/hosts/hv01/switches/vsw0/holds",
        """{"holder":"ann","target":{"portId":7,"nicIndex":0},"purpose":"demo"}""")]
    [InlineData("hold add hv01/vsw0 --port-id 7 --holder ann", "POST", "/v1/hosts/hv01/switches/vsw0/holds", """{"holder":"ann","target":{"portId":7}}""")]
    [InlineData("hold remove hv01/vsw0 h-1", "DELETE", "/v1/hosts/hv01/switches/vsw0/holds/h-1", "")]
    [InlineData("inflight set hv01/vsw0 --port-id 7 --nic-index 0 --packets 3 --oids 1", "POST", "/v1/hosts/hv01/switches/vsw0/inflight",
        """{"portId":7,"nicIndex":0,"packets":3,"oids":1}""")]
    [InlineData("oid send hv01/vsw0 OID_SWITCH_NIC_CREATE --port-id 7 --nic-index 0 --request-id r1 --param nicName=web-1--eth0 --param mtu=1500 --param flags=NicInitializing --param extra:=[1,{}]",
        "POST", "/v1/hosts/hv01/switches/vsw0/oids",
        """{"requestId":"r1","oid":"OID_SWITCH_NIC_CREATE","portId":7,"nicIndex":0,"parameters":{"nicName":"web-1--eth0","mtu":1500,"flags":["NicInitializing"],"extra":[1,{}]}}""")]
    [InlineData("oid cancel hv01/vsw0 r/1", "POST", "/v1/hosts/hv01/switches/vsw0/oids/r%2F1/cancel", "")]
    [InlineData("nic save hv01/vsw0/web-1--eth0", "POST", "/v1/hosts/hv01/switches/vsw0/ports/web-1--eth0/nics/0/save", "")]
    [InlineData("nic save hv01/vsw0/up --nic-index 1 --dry-run", "POST", "/v1/hosts/hv01/switches/vsw0/ports/up/nics/1/save?dryRun=true", "")]
    [InlineData("oid send hv01/vsw0 0x00010296", "POST", "/v1/hosts/hv01/switches/vsw0/oids",
        """{"requestId":"00000000-0000-0000-0000-000000000001","oid":"0x00010296"}""")]
    public async Task A_change_is_one_request_with_the_body_of_the_contract(string line, string method, string target, string body)
    {
        await using var stub = await CliStub.Start();
        await stub.Run(line.Split(' '));
        Assert.Equal((method, target), (stub.Only.Method, stub.Only.Target));
        Assert.True(
            body.Length == 0 ? stub.Only.Body.Length == 0 : JsonNode.DeepEquals(JsonNode.Parse(body), JsonNode.Parse(stub.Only.Body)),
            stub.Only.Body);
        Assert.Equal(method is "POST", Guid.TryParse(stub.Only.Header("Idempotency-Key"), out var key) && key != Guid.Empty);
    }

    [Fact]
    public async Task A_key_that_is_given_is_the_key_that_is_sent()
    {
        await using var stub = await CliStub.Start();
        var key = new Guid("0f8fad5b-d9cb-469f-a165-70867728950e");
        await stub.Run("vm", "start", "web-1", "--idempotency-key", key.ToString());
        Assert.Equal(key.ToString(), stub.Only.Header("Idempotency-Key"));
    }

    [Theory]
    [InlineData("7", "\"7\"")]
    [InlineData("\"7\"", "\"7\"")]
    [InlineData("*", "*")]
    public async Task An_etag_is_sent_quoted_whether_or_not_the_shell_took_the_quotes(string given, string sent)
    {
        await using var stub = await CliStub.Start();
        foreach (var verb in (string[])["start", "stop", "delete"])
        {
            await stub.Run("vm", verb, "web-1", "--if-match", given);
        }

        await stub.Run("vm", "set", "web-1", "--host", "hv01", "--nic", "name=eth0,switch=vsw0", "--if-match", given);
        Assert.Equal([sent, sent, sent, sent], stub.Asked.Select(asked => asked.Header("If-Match")));
    }

    [Fact]
    public async Task A_body_can_come_from_a_file_or_from_standard_input()
    {
        await using var stub = await CliStub.Start();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, """{"host":"hv01","nics":[]}""");
            await stub.Run("vm", "set", "web-1", "--file", file);
            await CliRun.Of(
                ["--server", stub.Url, "oid", "send", "hv01/vsw0", "OID_SWITCH_PORT_CREATE", "--json", "-", "--param", "portType=Synthetic"],
                world => world with { In = new StringReader("""{"portName":"p1"}""") });
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal("""{"host":"hv01","nics":[]}""", stub.Asked.First().Body);
        var parameters = JsonDocument.Parse(stub.Asked.Last().Body).RootElement.GetProperty("parameters").GetRawText();
        Assert.Equal("""{"portName":"p1","portType":"Synthetic"}""", parameters);
    }

    [Fact]
    public async Task What_a_save_printed_is_what_a_restore_sends()
    {
        const string saved = """{"blobs":[{"extensionId":"8d4bb1a0-0000-4000-8000-0000000000aa","extensionFriendlyName":"x","data":"AA=="}]}""";
        await using var stub = await CliStub.Start();
        await CliRun.Of(
            ["--server", stub.Url, "nic", "restore", "hv02/vsw0/web-1--eth0", "--file", "-"], world => world with { In = new StringReader(saved) });
        Assert.Equal(("POST", "/v1/hosts/hv02/switches/vsw0/ports/web-1--eth0/nics/0/restore", saved), (stub.Only.Method, stub.Only.Target, stub.Only.Body));
    }

    [Fact]
    public async Task A_server_behind_a_path_keeps_its_path()
    {
        await using var stub = await CliStub.Start();
        await CliRun.Of("--server", stub.Url + "/control/plane", "host", "list");
        Assert.Equal("/control/plane/v1/hosts", stub.Only.Target);
    }
}
