using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Tests;

/// <summary>What is printed, in all three formats, also when the names in it are hostile.</summary>
public sealed class CliTestsOutput
{
    const string TwoPorts = """
        {"items":[{"portName":"web-1--eth0","portId":7,"state":"Created","holds":[]},{"portName":"web-2--eth0","portId":8,"state":"Created","holds":[]}]}
        """;

    [Fact]
    public async Task A_table_has_one_line_per_item_and_no_column_that_nobody_fills()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/hosts/hv01/switches/vsw0/ports", 200, TwoPorts);
        var run = await stub.Run("port", "list", "hv01/vsw0");
        var lines = run.Out.TrimEnd().Split('\n');
        Assert.Equal(["PORTNAME     PORTID  STATE", "web-1--eth0  7       Created", "web-2--eth0  8       Created"], lines);
    }

    [Fact]
    public async Task A_row_stays_one_line_however_long_it_is()
    {
        await using var stub = await CliStub.Start();
        var name = new string('n', 150);
        stub.On("GET /v1/hosts", 200, $$"""{"items":[{"name":"{{name}}","state":"online","bootId":"{{name}}"}]}""");
        var run = await stub.Run("host", "list");
        Assert.Contains($"{name}  online  {name}", run.Out);
    }

    [Fact]
    public async Task Fields_that_this_cpctl_does_not_know_are_shown_all_the_same()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/hosts", 200, """{"items":[{"novelty":"yes"}]}""");
        Assert.Equal("NOVELTY\nyes\n", (await stub.Run("host", "list")).Out);
    }

    [Fact]
    public async Task Json_is_the_servers_own_with_every_digit_and_every_field_in_place()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms/web-1", 200, """{"b":1.50,"a":1e400,"big":18446744073709551616,"text":"18446744073709551616","none":null,"née":"Zoë"}""");
        var run = await stub.Run("vm", "show", "web-1", "--output", "json");
        Assert.Equal("""
            {
              "b": 1.50,
              "a": 1e400,
              "big": 18446744073709551616,
              "text": "18446744073709551616",
              "none": null,
              "née": "Zoë"
            }

            """, run.Out);
    }

    [Fact]
    public async Task Yaml_says_the_same_as_the_json()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms/web-1", 200, """
            {"name":"web-1","number":7,"asText":"7","truth":true,"word":"no","empty":"","none":null,"lines":"a\nb","hash":"# x","colon":"a: b",
             "list":[1,"two",{"three":3,"four":[{"five":5},[]]},[6,7]],"no":{},"time":"2026-11-22T10:00:00.000123Z"}
            """);
        var run = await stub.Run("vm", "show", "web-1", "--output", "yaml");
        Assert.Equal("""
            name: web-1
            number: 7
            asText: "7"
            truth: true
            word: "no"
            empty: ""
            none: null
            lines: "a\nb"
            hash: "# x"
            colon: "a: b"
            list:
              - 1
              - two
              - three: 3
                four:
                  - five: 5
                  - []
              - - 6
                - 7
            "no": {}
            time: "2026-11-22T10:00:00.000123Z"

            """, run.Out);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    [InlineData("yaml")]
    public async Task A_hostile_name_cannot_steer_the_terminal(string format)
    {
        const string hostile = @"\u001b[2Jx\r\nroot\u0007\u009b31m\u202Edlrow\u2028\u200b\u007f\ud83d\ude00[red]x[/]";
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms", 200, $$"""{"items":[{"name":"{{hostile}}","{{hostile}}":"{{hostile}}"}]}""");
        var shown = (await stub.Run("vm", "list", "--output", format)).Out;
        stub.On("GET /v1/vms/web-1", 200, $$"""{"name":"{{hostile}}","{{hostile}}":[{"{{hostile}}":"{{hostile}}"}]}""");
        shown += (await stub.Run("vm", "show", "web-1", "--output", format)).Out;
        stub.On("GET /v1/vms/web-2", 404, $$"""{"title":"{{hostile}}","code":"{{hostile}}","detail":"{{hostile}}","rule":"{{hostile}}","state":"{{hostile}}"}""");
        shown += (await stub.Run("vm", "show", "web-2", "--output", format)).Error;
        Assert.DoesNotContain(shown, c => c != '\n' && (char.IsControl(c) || c is '\u202e' or '\u2028' or '\u200b'));
        Assert.DoesNotContain(shown.Split('\n'), line => line.StartsWith("root", StringComparison.Ordinal));
        Assert.Contains(format is "table" ? "\U0001F600" : @"\uD83D\uDE00", shown);
        Assert.Contains("[red]x[/]", shown);
    }

    [Fact]
    public async Task Without_all_one_page_is_printed_and_the_way_to_the_next_is_told_beside_it()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms", 200, """{"items":[{"name":"web-1"}],"nextPageToken":"p2"}""");
        var run = await stub.Run("vm", "list", "--limit", "1");
        Assert.Equal("NAME\nweb-1\n", run.Out);
        Assert.Contains("--page-token p2", run.Error);
        Assert.Equal("/v1/vms?limit=1", stub.Only.Target);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    [InlineData("yaml")]
    public async Task With_all_every_page_is_printed_as_one_document(string format)
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/events", context => CliStub.Json(context, 200, context.Request.Query["pageToken"].ToString() switch
        {
            "" => """{"items":[{"type":"A","body":{"x":1}},{"type":"B"}],"nextPageToken":"p +2"}""",
            "p +2" => """{"items":[{"type":"C"}]}""",
            _ => "{}",
        }));
        var run = await stub.Run("events", "--all", "--correlation", "c&1", "--output", format);
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Equal(
            ["/v1/events?correlation=c%261&limit=1000", "/v1/events?correlation=c%261&limit=1000&pageToken=p%20%2B2"],
            stub.Asked.Select(asked => asked.Target));
        Assert.Equal(format switch
        {
            "table" => "TYPE\nA\nB\nC\n",
            "yaml" => "items:\n  - type: A\n    body:\n      x: 1\n  - type: B\n  - type: C\n",
            _ => """{"items":[{"type":"A","body":{"x":1}},{"type":"B"},{"type":"C"}]}""",
        }, format is "json" ? JsonSerializer.Serialize(JsonDocument.Parse(run.Out).RootElement) : run.Out);
    }

    [Theory]
    [InlineData("json", "{\n  \"items\": []\n}\n")]
    [InlineData("yaml", "items: []\n")]
    [InlineData("table", "")]
    public async Task An_empty_list_is_still_a_document(string format, string expected)
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/alarms", 200, """{"items":[]}""");
        Assert.Equal(expected, (await stub.Run("alarm", "list", "--all", "--output", format)).Out);
    }

    [Fact]
    public async Task A_list_that_breaks_off_stays_well_formed_and_ends_with_the_failure()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms", context => context.Request.Query.ContainsKey("pageToken")
            ? CliStub.Json(context, 503, """{"status":503,"code":"node.busy"}""")
            : CliStub.Json(context, 200, """{"items":[{"name":"web-1"}],"nextPageToken":"p2"}"""));
        var run = await stub.Run("vm", "list", "--all", "--output", "json");
        Assert.Equal(3, run.Exit);
        Assert.Equal("web-1", JsonDocument.Parse(run.Out).RootElement.GetProperty("items")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_page_token_that_leads_to_itself_ends_the_list()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /v1/vms", 200, """{"items":[{"name":"web-1"}],"nextPageToken":"p2"}""");
        Assert.Equal(4, (await stub.Run("vm", "list", "--all")).Exit);
        Assert.Equal(2, stub.Asked.Count);
    }

    [Fact]
    public async Task Status_counts_hosts_and_what_they_carry_and_shows_alarms()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /healthz", context => context.Response.WriteAsync("Healthy"))
            .On("GET /readyz", 200, """{"ready":true}""")
            .On("GET /v1/hosts", 200, """{"items":[{"name":"hv01","state":"online","counts":{"ports":2,"nics":2}},{"name":"hv02","state":"offline","counts":{"ports":3,"nics":1}}]}""")
            .On("GET /v1/alarms", 200, """{"items":[{"reason":"hv02 does not answer","action":"look at it"}]}""");
        var run = await stub.Run("status");
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Matches("health +healthy, ready", run.Out);
        Assert.Matches(@"hosts +2 \(1 online, 1 offline\)", run.Out);
        Assert.Matches("ports +5", run.Out);
        Assert.Matches("nics +3", run.Out);
        Assert.Matches("alarms +1", run.Out);
        Assert.Contains("hv02 does not answer", run.Out);
        var json = JsonDocument.Parse((await stub.Run("status", "-o", "json")).Out).RootElement;
        Assert.True(json.GetProperty("ready").GetBoolean());
        Assert.Equal(2, json.GetProperty("hosts").GetArrayLength());
    }

    [Fact]
    public async Task Status_of_a_server_that_is_not_ready_ends_with_three()
    {
        await using var stub = await CliStub.Start();
        stub.On("GET /healthz", 200, "{}").On("GET /readyz", 503, """{"status":503,"code":"node.starting"}""")
            .On("GET /v1/hosts", 200, """{"items":[]}""").On("GET /v1/alarms", 200, """{"items":[]}""");
        var run = await stub.Run("status");
        Assert.Equal(3, run.Exit);
        Assert.Contains("not ready", run.Out);
        Assert.Contains("node.starting", run.Error);
    }
}
