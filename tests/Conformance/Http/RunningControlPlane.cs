using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Host.Composition;
using ControlPlane.Host.Engine.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Tests.Conformance;

/// <summary>One whole process with a simulated host, as it is run, on a port and in a directory of its own.</summary>
public sealed class RunningControlPlane : IAsyncLifetime
{
    public const string Host = "hv01";

    static readonly TimeSpan ReadyMax = TimeSpan.FromSeconds(60);

    readonly string _data = Directory.CreateTempSubdirectory("conformance-").FullName;
    JournalFile? _journal;
    WebApplication? _app;

    public HttpClient Client { get; } = new();

    public async Task InitializeAsync()
    {
        var options = new NodeOptions { Port = 0, Data = _data, Driver = "simulated", Hosts = [Host] };
        _journal = JournalFile.Open(options.JournalFile);
        _app = ControlPlaneApp.Build(options, _journal, TimeProvider.System, logging => logging.ClearProviders());
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Urls.First(url => url.StartsWith("http://127.", StringComparison.Ordinal)));
        var token = await File.ReadAllTextAsync(Path.Combine(_data, "admin.token"));
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        await HostIsOnline();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        _journal!.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    async Task HostIsOnline()
    {
        using var patience = new CancellationTokenSource(ReadyMax);
        while (await State() != "online")
        {
            await Task.Delay(50, patience.Token);
        }
    }

    async Task<string?> State()
    {
        using var answer = await Client.GetAsync(new Uri($"/v1/hosts/{Host}", UriKind.Relative));
        return answer.IsSuccessStatusCode ? (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>())!["state"] : null;
    }
}

/// <summary>The scenarios over HTTP share one process, one after the other: planted faults are the host's.</summary>
[CollectionDefinition(Name)]
public sealed class OverHttp : ICollectionFixture<RunningControlPlane>
{
    public const string Name = "over HTTP";
}
