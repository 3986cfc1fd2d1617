using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Api.Tests;

[Collection(Shared.Name)]
public sealed class AuthTests(RunningControlPlane plane)
{
    [Fact]
    public async Task Every_endpoint_that_changes_something_refuses_without_a_token()
    {
        var endpoints = plane.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])
                .Select(method => (Method: method, Path: "/" + endpoint.RoutePattern.RawText!.TrimStart('/'))))
            .Where(endpoint => endpoint.Method is not ("GET" or "HEAD")).ToList();
        Assert.True(endpoints.Count >= 12, $"{endpoints.Count} endpoints");

        foreach (var (method, pattern) in endpoints)
        {
            var path = System.Text.RegularExpressions.Regex.Replace(pattern, @"\{[^}]*\}", "x");
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(plane.Address, path));
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
            var told = await plane.Raw(request);
            Assert.True((told.Status, told.Code) == (401, "auth.token"), $"{method} {pattern}: {told}");
        }
    }

    [Fact]
    public async Task Reads_on_loopback_need_no_token()
    {
        foreach (var path in (string[])["/healthz", "/readyz", "/v1/hosts", "/v1/vms", "/v1/alarms", "/v1/events", "/openapi/v1.json"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(plane.Address, path));
            Assert.Equal(200, (await plane.Raw(request)).Status);
        }
    }

    [Theory]
    [InlineData("Bearer", "wrong")]
    [InlineData("Bearer", "")]
    [InlineData("Basic", "YWRtaW46YWRtaW4=")]
    [InlineData("Bearer", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")]
    public async Task B55_every_wrong_token_gets_the_same_words_also_on_reads(string scheme, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(plane.Address, "/v1/hosts"));
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        var told = await plane.Raw(request);

        using var none = new HttpRequestMessage(HttpMethod.Delete, new Uri(plane.Address, "/v1/vms/x"));
        Assert.Equal((await plane.Raw(none)).Body.GetRawText(), told.Body.GetRawText());
        Assert.Equal(401, told.Status);
        Assert.Equal("Bearer", told.Response.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public void Secrets_are_for_their_owner_alone_and_the_token_is_kept_as_a_hash()
    {
        foreach (var name in (string[])["admin.token", "tokens.json", "page.key"])
        {
            var file = Path.Combine(plane.Data, name);
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
        }
        Assert.DoesNotContain(plane.Token, File.ReadAllText(Path.Combine(plane.Data, "tokens.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_changes_something_stands_in_the_history()
    {
        var sw = await plane.Switch();
        var defined = (await plane.Get($"/v1/events?actor=switch/hv01/{sw}&type=SwitchDefined")).Body.GetProperty("items")[0];
        Assert.Equal("operator:admin", defined.Text("who"));
    }

    [Fact]
    public async Task The_description_names_every_endpoint()
    {
        var described = (await plane.Get("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToList();
        Assert.Contains("/v1/vms/{vm}/start", described);
        Assert.Contains("/v1/hosts/{host}/switches/{name}/oids", described);
        Assert.Contains("/v1/watch", described);
    }
}
