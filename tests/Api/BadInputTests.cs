using System.Net.Http.Headers;

namespace ControlPlane.Api.Tests;

/// <summary>Bad input of reliability.md 11.1, each by its number.</summary>
[Collection(Shared.Name)]
public sealed class BadInputTests(RunningControlPlane plane)
{
    const string Sw = "/v1/hosts/hv01/switches/bad";
    const string Vm = "/v1/vms/bad";
    const string Migrations = "/v1/vms/bad/migrations";
    const string Oids = "/v1/hosts/hv01/switches/bad/oids";

    public static TheoryData<string, string, string, string?, int, string> Cases => new()
    {
        // What, method, path, body, status, code
        { "B4 no body", "PUT", Sw, null, 400, "body.missing" },
        { "B4 empty JSON", "PUT", Sw, "{}", 400, "field.missing" },
        { "B4 a number", "PUT", Sw, "1", 400, "body.object" },
        { "B5 truncated", "PUT", Sw, """{"kind":"private",""", 400, "json.broken" },
        { "B6 65 deep", "PUT", Sw, """{"kind":""" + new string('[', 65) + new string(']', 65) + "}", 400, "json.broken" },
        { "B6 33 deep", "PUT", Sw, """{"kind":""" + new string('[', 32) + new string(']', 32) + "}", 400, "json.broken" },
        { "B7 duplicate key", "PUT", Sw, """{"kind":"private","kind":"external"}""", 400, "json.broken" },
        { "B8 unknown field", "PUT", Sw, """{"kind":"private","nope":1}""", 400, "field.unknown" },
        { "B8 unknown field, deep", "PUT", Sw, """{"kind":"private","extensions":[{"name":"capture.mirror","class":"capture","settings":{"x":1}}]}""", 400, "field.unknown" },
        { "B9 number as string", "POST", Oids, """{"requestId":"b9a","oid":"OID_SWITCH_PORT_CREATE","portId":"7"}""", 400, "field.type" },
        { "B9 string as number", "PUT", Sw, """{"kind":7}""", 400, "field.type" },
        { "B9 1e999", "POST", Oids, """{"requestId":"b9b","oid":"OID_SWITCH_PORT_CREATE","portId":1e999}""", 400, "json.number" },
        { "B9 NaN", "POST", Oids, """{"requestId":"b9c","oid":"OID_SWITCH_PORT_CREATE","portId":NaN}""", 400, "json.broken" },
        { "B9 -0", "POST", Oids, """{"requestId":"b9d","oid":"OID_SWITCH_PORT_CREATE","portId":-0}""", 400, "json.number" },
        { "B9 1.5", "POST", Oids, """{"requestId":"b9e","oid":"OID_SWITCH_PORT_CREATE","portId":1.5}""", 400, "field.type" },
        { "B11 lone surrogate", "PUT", Sw, """{"kind":"private","uplink":"\ud800"}""", 400, "json.surrogate" },
        { "B12 NUL in a name", "PUT", Vm, """{"host":"hv\u000001","nics":[]}""", 400, "name.control" },
        { "B12 control character in a path", "GET", "/v1/vms/a%01b", null, 400, "name.control" },
        { "B13 name of 0", "PUT", Vm, """{"host":"","nics":[]}""", 422, "name.wrong" },
        { "B13 name of 129", "GET", "/v1/vms/" + new string('a', 129), null, 422, "name.wrong" },
        { "B13 name of 5,000", "GET", "/v1/vms/" + new string('a', 5_000), null, 422, "name.wrong" },
        { "B13 name of 10,000", "PUT", Vm, """{"host":"a","nics":[]}""".Replace("a", new string('a', 10_000), StringComparison.Ordinal), 422, "name.wrong" },
        { "B15 zero-width in a name", "PUT", Vm, """{"host":"hv\u200b01","nics":[]}""", 422, "name.wrong" },
        { "B15 homoglyph in a name", "PUT", Vm, """{"host":"h\u043e1","nics":[]}""", 422, "name.wrong" },
        { "B15 bidi override in a name", "PUT", Vm, """{"host":"hv\u202e01","nics":[]}""", 422, "name.wrong" },
        { "B16 con", "PUT", "/v1/vms/con", """{"host":"hv01","nics":[]}""", 422, "name.wrong" },
        { "B16 a/b", "GET", "/v1/vms/a%2fb", null, 422, "name.wrong" },
        { "B16 a\\b", "GET", "/v1/vms/a%5cb", null, 422, "name.wrong" },
        { "B16 capitals", "GET", "/v1/vms/Web", null, 422, "name.wrong" },
        { "B16 dots in a body", "PUT", Vm, """{"host":"..","nics":[]}""", 422, "name.wrong" },
        { "B23 method", "PATCH", Vm, "{}", 405, "route.method" },
        { "B31 limit 0", "GET", "/v1/vms?limit=0", null, 400, "query.limit" },
        { "B31 limit -1", "GET", "/v1/vms?limit=-1", null, 400, "query.limit" },
        { "B31 limit 10^9", "GET", "/v1/vms?limit=1000000000", null, 400, "query.limit" },
        { "B32 forged token", "GET", "/v1/vms?pageToken=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", null, 400, "query.pageToken" },
        { "B32 no token at all", "GET", "/v1/vms?pageToken=%24%24", null, 400, "query.pageToken" },
        { "B33 unknown filter", "GET", "/v1/events?regex=.*", null, 400, "query.unknown" },
        { "B38 VLAN 0", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","vlan":0}]}""", 422, "field.range" },
        { "B38 VLAN 4095", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","vlan":4095}]}""", 422, "field.range" },
        { "B38 VLAN 4096", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","vlan":4096}]}""", 422, "field.range" },
        { "B38 VLAN -1", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","vlan":-1}]}""", 422, "field.range" },
        { "B38 VLAN property of a VM", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","properties":[{"propertyType":"Vlan","value":{"operationMode":"access","accessVlanId":0}}]}]}""", 422, "field.range" },
        { "property of a VM", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","properties":[{"propertyType":"Vlan","value":{"operationMode":"qinq"}}]}]}""", 422, "nic.property" },
        { "VLAN twice", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","vlan":7,"properties":[{"propertyType":"Vlan","value":{"operationMode":"access","accessVlanId":8}}]}]}""", 422, "nic.property" },
        { "property of no type", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","properties":[{"value":{}}]}]}""", 400, "field.missing" },
        { "property that is a text", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","properties":["Vlan"]}]}""", 400, "field.type" },
        { "NIC of no name", "POST", Vm + "/nics", """{"switch":"s"}""", 400, "field.missing" },
        { "NIC of a VM that is not there", "POST", Vm + "/nics", """{"name":"eth0","switch":"s"}""", 404, "vm.absent" },
        { "no NIC to take away", "DELETE", Vm + "/nics/ETH0", null, 422, "name.wrong" },
        { "B38 VLAN property", "POST", Oids, """{"requestId":"b38","oid":"OID_SWITCH_PORT_PROPERTY_ADD","portId":1,"parameters":{"propertyType":"Vlan","propertyInstanceId":"i","value":{"accessVlanId":4096}}}""", 422, "field.range" },
        { "B38 trunk with a bad VLAN", "POST", Oids, """{"requestId":"b38t","oid":"OID_SWITCH_PORT_PROPERTY_ADD","portId":1,"parameters":{"propertyType":"Vlan","propertyInstanceId":"i","value":{"trunkVlanIds":[1,4095]}}}""", 422, "field.range" },
        { "B38 trunk of 5,000", "POST", Oids, """{"requestId":"b38l","oid":"OID_SWITCH_PORT_PROPERTY_ADD","portId":1,"parameters":{"propertyType":"Vlan","propertyInstanceId":"i","value":{"trunkVlanIds":[""" + string.Join(',', Enumerable.Range(0, 5_000).Select(n => (n % 4_094) + 1)) + "]}}}", 422, "field.many" },
        { "B41 MTU 0", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","mtu":0}]}""", 422, "field.range" },
        { "B41 MTU 67", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","mtu":67}]}""", 422, "field.range" },
        { "B41 MTU 65536", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","mtu":65536}]}""", 422, "field.range" },
        { "B41 2^63", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","mtu":9223372036854775808}]}""", 422, "field.range" },
        { "MAC", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","mac":"00-15:5d-01-02-03"}]}""", 422, "field.mac" },
        { "B43 switch on an unknown host", "PUT", "/v1/hosts/hv99/switches/s", """{"kind":"private"}""", 404, "host.unknown" },
        { "B43 VM on an unknown host", "PUT", Vm, """{"host":"hv99","nics":[]}""", 422, "host.unknown" },
        { "B43 port on an unknown switch", "POST", "/v1/hosts/hv01/switches/never/oids", """{"requestId":"b43","oid":"OID_SWITCH_PORT_CREATE","portId":1,"parameters":{"portName":"p"}}""", 404, "switch.absent" },
        { "B64 a script as a name", "GET", "/v1/vms/%3cscript%3e", null, 422, "name.wrong" },
        { "B64 line breaks in a name", "PUT", Vm, """{"host":"hv\r\n01","nics":[]}""", 400, "name.control" },
        { "unknown choice", "PUT", Sw, """{"kind":"bridge"}""", 422, "field.choice" },
        { "unknown extension", "PUT", Sw, """{"kind":"private","extensions":[{"name":"none","class":"filter"}]}""", 422, "switch.extension.unknown" },
        { "unknown OID", "POST", Oids, """{"requestId":"o","oid":"OID_NONE"}""", 422, "oid.unknown" },
        { "no request id", "POST", Oids, """{"oid":"OID_SWITCH_PORT_CREATE"}""", 400, "field.missing" },
        { "unknown path", "GET", "/v1/nothing", null, 404, "route.unknown" },
        { "unknown query", "GET", "/v1/vms?at=2026-01-01T00:00:00Z", null, 400, "query.unknown" },
        { "wait too long", "POST", "/v1/vms/bad/start?wait=6m", null, 400, "query.wait" },
        { "wait of no unit", "POST", "/v1/vms/bad/start?wait=30", null, 400, "query.wait" },
        { "time of no zone", "GET", "/v1/vms/bad?at=2026-01-01T00:00:00", null, 400, "query.time" },
        { "migration of no destination", "POST", Migrations, "{}", 400, "field.missing" },
        { "migration without a body", "POST", Migrations, null, 400, "body.missing" },
        { "migration to a wrong name", "POST", Migrations, """{"destination":"HV02"}""", 422, "name.wrong" },
        { "migration to a control character", "POST", Migrations, """{"destination":"hv\u000001"}""", 400, "name.control" },
        { "migration to a number", "POST", Migrations, """{"destination":2}""", 400, "field.type" },
        { "migration to an unknown host", "POST", Migrations, """{"destination":"hv99"}""", 422, "host.unknown" },
        { "migration of an unknown VM", "POST", "/v1/vms/never/migrations", """{"destination":"hv02"}""", 404, "vm.absent" },
        { "migration by a deadline of 0", "POST", Migrations, """{"destination":"hv02","deadlineSeconds":0}""", 422, "field.range" },
        { "migration by a deadline of two days", "POST", Migrations, """{"destination":"hv02","deadlineSeconds":172800}""", 422, "field.range" },
        { "migration with a blackout of 0", "POST", Migrations, """{"destination":"hv02","maxBlackoutMs":0}""", 422, "field.range" },
        { "migration in an unknown mode", "POST", Migrations, """{"destination":"hv02","mode":"fast"}""", 422, "field.choice" },
        { "migration of an unknown guest", "POST", Migrations, """{"destination":"hv02","guest":"me"}""", 422, "field.choice" },
        { "migration with an unknown field", "POST", Migrations, """{"destination":"hv02","force":true}""", 400, "field.unknown" },
        { "migration with an unknown query", "POST", Migrations + "?at=now", """{"destination":"hv02"}""", 400, "query.unknown" },
        { "migration id without a number", "GET", "/v1/migrations/web-1", null, 422, "migration.id" },
        { "migration id of 0", "GET", "/v1/migrations/web-1~0", null, 422, "migration.id" },
        { "migration id with a leading 0", "GET", "/v1/migrations/web-1~01", null, 422, "migration.id" },
        { "migration id of 2^63", "GET", "/v1/migrations/web-1~9223372036854775808", null, 422, "migration.id" },
        { "migration id of a wrong name", "GET", "/v1/migrations/Web~1", null, 422, "name.wrong" },
        { "migration id with a control character", "GET", "/v1/migrations/a%01b", null, 400, "name.control" },
        { "no such migration", "GET", "/v1/migrations/never~1", null, 404, "migration.absent" },
        { "cancel of no such migration", "POST", "/v1/migrations/never~1/cancel", null, 404, "migration.absent" },
        { "cancel with a body", "POST", "/v1/migrations/never~1/cancel", """{"force":true}""", 400, "field.unknown" },
        { "guest of no such migration", "POST", "/v1/migrations/never~1/guest", """{"event":"paused"}""", 404, "migration.absent" },
        { "unknown event of a guest", "POST", "/v1/migrations/never~1/guest", """{"event":"asleep"}""", 422, "field.choice" },
        { "no event of a guest", "POST", "/v1/migrations/never~1/guest", "{}", 400, "field.missing" },
        { "required feature of no name", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","requiredFeatures":[""]}]}""", 422, "nic.feature" },
        { "required feature that is a number", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","requiredFeatures":[7]}]}""", 400, "field.type" },
        { "33 required features", "PUT", Vm, """{"host":"hv01","nics":[{"name":"eth0","switch":"s","requiredFeatures":[""" + string.Join(',', Enumerable.Repeat("\"f\"", 33)) + "]}]}", 422, "field.many" },
        { "unknown VM", "POST", "/v1/vms/never/start", null, 404, "vm.absent" },
        { "no such actor", "POST", "/v1/actors/thing/x/unpark", """{"drop":true}""", 422, "actor.id" },
        { "an actor that is not parked", "POST", "/v1/actors/bridge/hv01/unpark", """{"drop":true}""", 409, "actor.not-parked" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Bad_input_is_refused(string what, string method, string path, string? body, int status, string code)
    {
        var told = await plane.Send(new HttpMethod(method), path, body, request => request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString()));

        Assert.True((told.Status, told.Code) == (status, code), $"{what}: {told}");
        Assert.Equal("application/problem+json", told.Response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task B1_a_body_declared_over_one_mebibyte_is_refused_before_any_of_it_has_come()
    {
        using var connection = await RawConnection.Open(plane.Address);
        await connection.Send(Head("Content-Length: 1048577"));
        var answer = await connection.ReadUntil("}");
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body.large\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task B2_a_chunked_body_that_grows_past_the_limit_is_refused_and_its_connection_closed()
    {
        using var connection = await RawConnection.Open(plane.Address);
        await connection.Send(Head("Transfer-Encoding: chunked"));
        var chunk = "8000\r\n" + new string(' ', 0x8000) + "\r\n";
        for (var n = 0; n < 40 && await connection.Send(chunk); n++)
        {
        }
        Assert.StartsWith("HTTP/1.1 413 ", await connection.ReadToEnd(), StringComparison.Ordinal);
    }

    string Head(string length) =>
        $"PUT {Sw} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {plane.Token}\r\nContent-Type: application/json\r\n{length}\r\n\r\n";

    [Fact]
    public async Task B5_and_B8_a_refusal_says_the_byte_or_the_field()
    {
        var truncated = await plane.Put(Sw, """{"kind":"private",""");
        Assert.Contains("at byte 17", truncated.Body.Text("detail"), StringComparison.Ordinal);
        var unknown = await plane.Put(Sw, """{"kind":"private","extensions":[{"name":"capture.mirror","class":"capture","nope":1}]}""");
        Assert.Equal((400, "extensions[0].nope"), (unknown.Status, unknown.Body.Text("field")));
    }

    [Theory]
    [InlineData("B11 invalid UTF-8", new byte[] { 0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d })]
    [InlineData("B11 byte order mark", new byte[] { 0xef, 0xbb, 0xbf, 0x7b, 0x7d })]
    public async Task B11_bytes_that_are_no_UTF_8_are_refused(string what, byte[] bytes)
    {
        var told = await plane.Send(HttpMethod.Put, Sw, null, request => request.Content = Content(bytes, "application/json"));
        Assert.True((told.Status, told.Code) == (400, "json.utf8"), $"{what}: {told}");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData(null)]
    public async Task B18_another_content_type_is_refused(string? type)
    {
        var told = await plane.Send(HttpMethod.Put, Sw, null, request => request.Content = Content("{}"u8.ToArray(), type));
        Assert.Equal((415, "body.type"), (told.Status, told.Code));
    }

    [Fact]
    public async Task B19_a_compressed_body_is_not_taken()
    {
        var told = await plane.Send(HttpMethod.Put, Sw, null, request =>
        {
            request.Content = Content([0x1f, 0x8b], "application/json");
            request.Content.Headers.ContentEncoding.Add("gzip");
        });
        Assert.Equal((415, "body.encoding"), (told.Status, told.Code));
    }

    [Theory]
    [InlineData("B16 dots", "GET /v1/vms/.. HTTP/1.1\r\nHost: localhost\r\n", "422")]
    [InlineData("B16 encoded dots", "GET /v1/vms/%2e%2e HTTP/1.1\r\nHost: localhost\r\n", "422")]
    [InlineData("B16 one dot", "GET /v1/vms/. HTTP/1.1\r\nHost: localhost\r\n", "422")]
    [InlineData("B12 NUL in the path", "GET /v1/vms/a%00b HTTP/1.1\r\nHost: localhost\r\n", "400")]
    [InlineData("B23 TRACE", "TRACE /v1/vms HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n", "405")]
    [InlineData("B24 foreign Host", "GET /v1/vms HTTP/1.1\r\nHost: evil.example\r\n", "400")]
    [InlineData("B24 forwarded host is ignored", "GET /v1/vms HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-For: 10.0.0.1\r\n", "200")]
    [InlineData("B60 a cookie is no token", "POST /v1/vms/bad/start HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nCookie: token={token}\r\n", "401")]
    [InlineData("no Host", "GET /v1/vms HTTP/1.1\r\n", "400")]
    [InlineData("B22 bare CR in a header", "GET /v1/vms HTTP/1.1\r\nHost: localhost\r\nX-A: a\rb\r\n", "400")]
    [InlineData("B22 bare LF in a header", "GET /v1/vms HTTP/1.1\r\nHost: localhost\r\nX-A: a\nb\r\n", "400")]
    public async Task Bad_requests_below_JSON_are_refused(string what, string head, string status)
    {
        var answer = await Socket(head.Replace("{token}", plane.Token, StringComparison.Ordinal) + "Connection: close\r\n\r\n");
        Assert.True(answer.StartsWith($"HTTP/1.1 {status} ", StringComparison.Ordinal), $"{what}: {answer}");
    }

    [Fact]
    public async Task B20_too_many_or_too_large_headers_are_refused()
    {
        var many = string.Concat(Enumerable.Range(0, 101).Select(n => $"X-{n}: 1\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await Socket($"GET /v1/vms HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"), StringComparison.Ordinal);
        var large = new string('a', 33 * 1024);
        Assert.StartsWith("HTTP/1.1 431 ", await Socket($"GET /v1/vms HTTP/1.1\r\nHost: localhost\r\nX-A: {large}\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task B68_HTTP_2_is_not_spoken_and_its_connection_is_closed()
    {
        const char goAway = '\u0007';
        using var connection = await RawConnection.Open(plane.Address);
        await connection.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        var answer = await connection.ReadToEnd();
        Assert.True(answer.Length > 4 && answer[3] == goAway, answer);
    }

    [Theory]
    [InlineData(null, "idempotency.missing")]
    [InlineData("not-a-uuid", "idempotency.key")]
    [InlineData("{11111111-1111-1111-1111-111111111111}", "idempotency.key")]
    public async Task B25_and_B28_a_POST_needs_a_key_that_is_a_UUID(string? key, string code)
    {
        var told = await plane.Send(HttpMethod.Post, "/v1/vms/bad/start", null, request =>
        {
            if (key is not null)
            {
                request.Headers.Add("Idempotency-Key", key);
            }
        });
        Assert.Equal((400, code), (told.Status, told.Code));
    }

    [Fact]
    public async Task B28_a_key_of_a_kibibyte_is_refused()
    {
        var told = await plane.Send(HttpMethod.Post, "/v1/vms/bad/start", null, request => request.Headers.Add("Idempotency-Key", new string('k', 1024)));
        Assert.Equal((400, "idempotency.key"), (told.Status, told.Code));
    }

    [Fact]
    public async Task B44_an_existing_port_is_not_created_again()
    {
        var sw = await plane.Switch();
        await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 5, new { portName = "p5" });
        Assert.Equal(409, (await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 5, new { portName = "other" })).Status);
    }

    [Fact]
    public async Task B46_a_switch_with_ports_is_not_deleted_and_the_count_is_said()
    {
        var sw = await plane.Switch();
        await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 5, new { portName = "p5" });
        var told = await plane.Delete($"/v1/hosts/hv01/switches/{sw}");
        Assert.Equal((409, "switch.delete.ports"), (told.Status, told.Code));
        Assert.Contains("1 ports", told.Body.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task B64_hostile_names_of_peers_are_stored_and_shown_escaped()
    {
        var sw = await plane.Switch();
        const string hostile = "<script>alert(1)</script>=cmd()\u001b[31m\u202e";
        Assert.Equal(400, (await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 5, new { portName = hostile })).Status);
        Assert.Equal(200, (await plane.Oid(sw, "OID_SWITCH_PORT_CREATE", 5, new { portName = "<script>=cmd()\u202e" })).Status);
        var ports = await plane.Get($"/v1/hosts/hv01/switches/{sw}/ports");
        var port = ports.Body.GetProperty("items")[0];
        Assert.Equal("<script>=cmd()\u202e", port.Text("portName"));
        Assert.StartsWith("x-", port.Text("name"), StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", ports.Body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task B15_free_text_of_any_script_is_stored_as_data_and_shown_escaped()
    {
        var sw = await plane.Switch();
        var vm = await plane.Vm(sw);
        await plane.Post($"/v1/vms/{vm}/start?wait=30s");
        const string purpose = "a\u202eb\u200bc\u0430";
        Assert.Equal(201, (await plane.Post($"/v1/hosts/hv01/switches/{sw}/holds", new { holder = "x", target = new { portId = 1, nicIndex = 0 }, purpose })).Status);

        var hold = (await plane.Get($"/v1/nics/{vm}/eth0")).Body.GetProperty("holds")[0];
        Assert.Equal(purpose, hold.Text("purpose"));
        Assert.Contains("a\\u202Eb\\u200Bc", hold.GetRawText(), StringComparison.OrdinalIgnoreCase);
    }

    static ByteArrayContent Content(byte[] bytes, string? type)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        return content;
    }

    /// <summary>The head of what is answered to these bytes.</summary>
    async Task<string> Socket(string request)
    {
        using var connection = await RawConnection.Open(plane.Address);
        await connection.Send(request);
        return await connection.ReadUntil("\r\n\r\n");
    }
}
