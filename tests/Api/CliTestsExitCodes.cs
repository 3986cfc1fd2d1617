using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace ControlPlane.Api.Tests;

/// <summary>What a script sees: the exit code, and where the words go.</summary>
public sealed class CliTestsExitCodes
{
    const string Refusal = """
        {"type":"about:blank","title":"The NIC is connected","status":409,"detail":"Disconnect it first.","code":"nic.delete.connected","rule":"N4","state":"Connected"}
        """;

    [Fact]
    public async Task A_good_answer_ends_with_zero_and_says_nothing_on_standard_error()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms/web-1", 200, """{"name":"web-1","host":"hv01"}""", ("ETag", "\"7\""));
        var run = await stub.Run("vm", "show", "web-1");
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Contains("host  hv01", run.Out);
        Assert.Contains("etag  \"7\"", run.Out);
    }

    [Fact]
    public async Task A_refusal_ends_with_one_and_names_code_rule_detail_and_state()
    {
        await using var stub = await CliStub.Start();
        stub.On("DELETE /v1/vms/web-1", 409, Refusal);
        var run = await stub.Run("vm", "delete", "web-1");
        Assert.Equal((1, ""), (run.Exit, run.Out));
        Assert.Contains("nic.delete.connected (409)", run.Error);
        Assert.Contains("rule: N4", run.Error);
        Assert.Contains("detail: Disconnect it first.", run.Error);
        Assert.Contains("state: Connected", run.Error);
    }

    [Fact]
    public async Task A_refusal_in_json_is_the_servers_problem_on_standard_error()
    {
        await using var stub = await CliStub.Start();
        stub.On("DELETE /v1/vms/web-1", 409, Refusal);
        var run = await stub.Run("vm", "delete", "web-1", "--output", "json");
        Assert.Equal(1, run.Exit);
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(Refusal).RootElement, JsonDocument.Parse(run.Error).RootElement));
    }

    [Theory]
    [InlineData(400, 1)]
    [InlineData(401, 1)]
    [InlineData(404, 1)]
    [InlineData(412, 1)]
    [InlineData(422, 1)]
    [InlineData(429, 1)]
    [InlineData(500, 1)]
    [InlineData(503, 3)]
    [InlineData(504, 4)]
    public async Task Every_status_has_its_exit_code(int status, int exit)
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/hosts/hv01", status, "");
        Assert.Equal(exit, (await stub.Run("host", "show", "hv01")).Exit);
    }

    [Fact]
    public async Task A_server_that_is_not_there_ends_with_three()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        var run = await CliRun.Of("--server", $"http://127.0.0.1:{port}", "host", "list");
        Assert.Equal(3, run.Exit);
        Assert.Contains("cli.unreachable", run.Error);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_ends_with_four_and_says_how_to_repeat_safely()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/start", context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        var run = await stub.Run("vm", "start", "web-1", "--no-wait", "--timeout", "200ms");
        Assert.Equal(4, run.Exit);
        Assert.Contains($"--idempotency-key {CliRun.FirstId}", run.Error);
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_middle_of_a_change_is_an_unknown_outcome_not_a_refusal()
    {
        await using var stub = await CliStub.Start();
        stub.On("POST /v1/vms/web-1/start", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        Assert.Equal(4, (await stub.Run("vm", "start", "web-1")).Exit);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("vm")]
    [InlineData("vm show")]
    [InlineData("vm show ..")]
    [InlineData("switch show hv01")]
    [InlineData("switch show hv01/")]
    [InlineData("port show hv01/vsw0/p1/extra")]
    [InlineData("vm list --output xml")]
    [InlineData("vm list --limit 0")]
    [InlineData("vm list --limit 1001")]
    [InlineData("vm set web-1")]
    [InlineData("vm set web-1 --host hv01")]
    [InlineData("vm set web-1 --host hv01 --nic name=eth0")]
    [InlineData("vm set web-1 --host hv01 --nic name=eth0,switch=vsw0,colour=red")]
    [InlineData("vm set web-1 --host hv01 --nic name=eth0,switch=vsw0,mtu=big")]
    [InlineData("vm set web-1 --host hv01 --nic name=eth0,name=eth1,switch=vsw0")]
    [InlineData("vm set web-1 --host hv01 --nic name=eth0,switch=vsw0 --file x.json")]
    [InlineData("vm set web-1 --file no-such-file.json")]
    [InlineData("vm start web-1 --wait soon")]
    [InlineData("vm start web-1 --wait 5s --no-wait")]
    [InlineData("vm start web-1 --idempotency-key not-a-uuid")]
    [InlineData("switch set hv01/vsw0")]
    [InlineData("switch set hv01/vsw0 --kind virtual")]
    [InlineData("switch set hv01/vsw0 --kind private --extension name=filter.quota")]
    [InlineData("oid send hv01/vsw0")]
    [InlineData("oid send hv01/vsw0 OID_SWITCH_PORT_CREATE --param value:={")]
    [InlineData("hold add hv01/vsw0 --port-id 7")]
    [InlineData("inflight set hv01/vsw0 --port-id 7 --nic-index 0 --packets -1 --oids 0")]
    [InlineData("actor unpark nic/web-1/eth0")]
    [InlineData("completion fish")]
    [InlineData("vm list --server ftp://somewhere")]
    [InlineData("vm list --token-file no-such-file")]
    public async Task A_wrong_command_line_ends_with_two_before_anything_is_sent(string line)
    {
        await using var stub = await CliStub.Start();
        var run = await CliRun.Of(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            world => world with { Variable = name => name is "CPCTL_SERVER" ? stub.Url : null });
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.StartsWith("cpctl: ", run.Error);
        Assert.Empty(stub.Asked);
    }

    [Fact]
    public async Task Help_is_no_error_and_names_every_option()
    {
        var run = await CliRun.Of("vm", "set", "--help");
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.All(["--host", "--nic", "--file", "--if-match", "--dry-run", "--server", "--output", "--token-file"], option => Assert.Contains(option, run.Out));
    }

    [Theory]
    [InlineData("bash", "complete -F _cpctl cpctl")]
    [InlineData("zsh", "compdef _cpctl cpctl")]
    public async Task Completion_prints_the_script_of_the_shell(string shell, string line)
    {
        var run = await CliRun.Of("completion", shell);
        Assert.Equal(0, run.Exit);
        Assert.Contains(line, run.Out);
    }
}
