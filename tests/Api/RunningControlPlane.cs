using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Host.Composition;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Api.Tests;

/// <summary>
/// The real process in this one: engine, journal, projector, HTTP on a free port, and the agents of the simulated hosts
/// hv01 and hv02 over their socket. Its data directory is its own and goes with it.
/// </summary>
public sealed class RunningControlPlane : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly HttpClient _http = new() { Timeout = Patience };
    WebApplication? _app;
    Storage? _storage;

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How the next start is set up.</summary>
    internal NodeOptions Options { get; init; } = new() { Port = 0, Driver = "simulated" };

    public string Data { get; } = Directory.CreateTempSubdirectory("cp-").FullName;

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Where agents come by TLS, if they may.</summary>
    public Uri Agents => new(_app!.Urls.Single(url => url.StartsWith("https://", StringComparison.Ordinal)));

    public string Token { get; private set; } = "";

    /// <summary>The services of the running process.</summary>
    public IServiceProvider Services => _app?.Services ?? throw new InvalidOperationException("it does not run");

    public async Task InitializeAsync()
    {
        await Start();
        await Ready();
    }

    /// <summary>Both hosts are online, and the node takes work.</summary>
    public async Task Ready()
    {
        await Until("/readyz", _ => true);
        await Until("/v1/hosts", hosts => hosts.GetProperty("items").EnumerateArray().Count(host => host.Text("state") == "online") == 2);
    }

    public async Task DisposeAsync()
    {
        await Stop();
        _http.Dispose();
        Directory.Delete(Data, recursive: true);
    }

    public async Task Start()
    {
        var options = Options with { Data = Data };
        _storage = Storage.Open(options, TimeProvider.System);
        _app = ControlPlaneApp.Build(options, _storage, Time, logging => logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddSimpleConsole());
        await _app.StartAsync();
        Address = new Uri(_app.Urls.Single(url => url.StartsWith("http://127.", StringComparison.Ordinal)));
        Token = (await File.ReadAllTextAsync(Path.Combine(Data, "admin.token"))).Trim();
    }

    public async Task Stop()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync();
            await app.DisposeAsync();
            _storage?.Dispose();
        }
    }

    public Task<Told> Get(string path) => Send(HttpMethod.Get, path);

    public Task<Told> Put(string path, object body, Action<HttpRequestMessage>? with = null) => Send(HttpMethod.Put, path, body, with);

    /// <summary>A POST with a fresh key, unless one is given.</summary>
    public Task<Told> Post(string path, object? body = null, Guid? key = null, Action<HttpRequestMessage>? with = null) =>
        Send(HttpMethod.Post, path, body, request =>
        {
            request.Headers.Add("Idempotency-Key", (key ?? Guid.NewGuid()).ToString("D"));
            with?.Invoke(request);
        });

    public Task<Told> Delete(string path, Action<HttpRequestMessage>? with = null) => Send(HttpMethod.Delete, path, null, with);

    /// <summary>One request as the administrator. The body is JSON text, or something to write as JSON.</summary>
    public Task<Told> Send(HttpMethod method, string path, object? body = null, Action<HttpRequestMessage>? with = null)
    {
        var request = new HttpRequestMessage(method, new Uri(Address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (body is not null)
        {
            var json = body as string ?? JsonSerializer.Serialize(body, JsonSerializerOptions.Web);
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }
        with?.Invoke(request);
        return Raw(request);
    }

    public async Task<Told> Raw(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await _http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            var json = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true
                ? JsonElement.Parse(text)
                : default;
            return new Told((int)response.StatusCode, json, response.Headers.ETag?.Tag, response.Headers.Location?.ToString(), response);
        }
    }

    /// <summary>Reads again and again until the answer is as it should be.</summary>
    public async Task<JsonElement> Until(string path, Func<JsonElement, bool> asItShouldBe)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var told = await Get(path);
            if (told.Status == 200 && asItShouldBe(told.Body))
            {
                return told.Body;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"{path} stays {told}");
            await Task.Delay(20);
        }
    }

    /// <summary>A switch that its host has made.</summary>
    public async Task<string> Switch(string host = "hv01", object? body = null)
    {
        var name = $"s{Guid.NewGuid():N}"[..12];
        var told = await Put($"/v1/hosts/{host}/switches/{name}", body ?? new { kind = "private" });
        Assert.Equal(201, told.Status);
        await Until($"/v1/hosts/{host}/switches/{name}", sw => sw.Text("state") == "ready");
        return name;
    }

    /// <summary>A VM with one NIC on the switch, stopped.</summary>
    public async Task<string> Vm(string onSwitch, string host = "hv01")
    {
        var name = $"v{Guid.NewGuid():N}"[..12];
        var told = await Put($"/v1/vms/{name}", new { host, nics = new[] { new { name = "eth0", @switch = onSwitch, type = "synthetic" } } });
        Assert.Equal(201, told.Status);
        return name;
    }

    public Task<Told> Oid(string onSwitch, string oid, int portId, object? parameters = null, string? requestId = null)
    {
        var body = new JsonObject { ["requestId"] = requestId ?? Guid.NewGuid().ToString("N"), ["oid"] = oid, ["portId"] = portId };
        if (parameters is not null)
        {
            body["parameters"] = JsonSerializer.SerializeToNode(parameters, JsonSerializerOptions.Web);
        }
        return Send(HttpMethod.Post, $"/v1/hosts/hv01/switches/{onSwitch}/oids", body.ToJsonString());
    }
}

/// <summary>What the server said.</summary>
public sealed record Told(int Status, JsonElement Body, string? ETag, string? Location, HttpResponseMessage Response)
{
    public string? Code => Body.Text("code");

    public override string ToString() => $"{Status} {(Body.ValueKind == JsonValueKind.Undefined ? "" : Body.GetRawText())}";
}

public static class JsonReading
{
    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value.ToString() : null;
}

/// <summary>One running control plane for all tests that do not stop it.</summary>
[CollectionDefinition(Name)]
public sealed class Shared : ICollectionFixture<RunningControlPlane>
{
    public const string Name = "running control plane";
}
