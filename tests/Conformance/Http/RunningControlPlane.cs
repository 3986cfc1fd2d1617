using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Host.Composition;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Tests.Conformance;

/// <summary>One whole process with a simulated host, as it is run, on a port and in a directory of its own.</summary>
public sealed class RunningControlPlane : IAsyncLifetime
{
    public const string Host = "hv01";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly string _data = Directory.CreateTempSubdirectory("conformance-").FullName;
    Storage? _storage;
    WebApplication? _app;

    public HttpClient Client { get; } = new();

    /// <summary>Where agents of hosts that are not this process's own find the node.</summary>
    public string AgentSocket { get; private set; } = "";

    public async Task InitializeAsync()
    {
        var options = new NodeOptions { Port = 0, Data = _data, Driver = "simulated", Hosts = [Host] };
        AgentSocket = options.AgentSocket;
        _storage = Storage.Open(options, TimeProvider.System);
        _app = ControlPlaneApp.Build(options, _storage, TimeProvider.System, logging => logging.ClearProviders());
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Urls.First(url => url.StartsWith("http://127.", StringComparison.Ordinal)));
        var token = await File.ReadAllTextAsync(Path.Combine(_data, "admin.token"));
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        await HostIs(Host, "online");
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        _storage!.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>Waits until the host is online, or offline.</summary>
    public Task HostIs(string host, string state) => Until(async () => await State(host) == state, $"{host} is {state}");

    /// <summary>Looks again and again until it is so.</summary>
    public static async Task Until(Func<Task<bool>> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"not within {Patience}: {what}");
            await Task.Delay(50);
        }
    }

    async Task<string?> State(string host)
    {
        using var answer = await Client.GetAsync(new Uri($"/v1/hosts/{host}", UriKind.Relative));
        return answer.IsSuccessStatusCode ? (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["state"] : null;
    }
}

/// <summary>The scenarios over HTTP share one process, one after the other: planted faults are the host's.</summary>
[CollectionDefinition(Name)]
public sealed class OverHttp : ICollectionFixture<RunningControlPlane>
{
    public const string Name = "over HTTP";
}
