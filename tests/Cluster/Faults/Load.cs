using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>
/// People at work while nodes fail: VMs with a NIC are started and stopped by whichever node answers, each request under one
/// key until it is acknowledged, and the events are watched from a cursor that survives the node.
/// </summary>
sealed class Load(LocalCluster cluster, string host, int vms) : IAsyncDisposable
{
    static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(120);

    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<string, string> _acknowledged = new(StringComparer.Ordinal);
    readonly List<long> _watched = []; // cursors
    Task _work = Task.CompletedTask;
    int _turn;
    int _triesMax;

    public IReadOnlyDictionary<string, string> Acknowledged => _acknowledged;

    public IReadOnlyList<string> Vms { get; } = [.. Enumerable.Range(0, vms).Select(n => string.Create(CultureInfo.InvariantCulture, $"load-{n}"))];

    /// <summary>The most tries that one request needed until now: the first is at one node, each other at the next.</summary>
    public int TriesMax => Volatile.Read(ref _triesMax);

    public async Task Begin()
    {
        await Send(HttpMethod.Put, $"/v1/hosts/{host}/switches/load", new { kind = "private" }, null);
        foreach (var vm in Vms)
        {
            await Send(HttpMethod.Put, $"/v1/vms/{vm}", new { host, nics = new[] { new { name = "eth0", @switch = "load" } } }, vm);
        }
        _work = Task.WhenAll([Watch(), .. Vms.Select(StartAndStop)]);
    }

    /// <summary>After the last faults: what is under way ends, nothing failed, and every other VM is left running.</summary>
    public async Task End()
    {
        await _stop.CancelAsync();
        await _work;
        foreach (var vm in Vms.Where((_, n) => n % 2 == 0))
        {
            await Send(HttpMethod.Post, $"/v1/vms/{vm}/start?wait=20s", null, vm);
        }
    }

    public ValueTask DisposeAsync()
    {
        _stop.Cancel();
        return ValueTask.CompletedTask;
    }

    /// <summary>Every event from the first that was seen was seen once and in order; answers how many.</summary>
    public int WatchedAll()
    {
        Assert.NotEmpty(_watched);
        Assert.Equal(Enumerable.Range(0, _watched.Count).Select(n => _watched[0] + n), _watched);
        return _watched.Count;
    }

    async Task StartAndStop(string vm)
    {
        while (!_stop.IsCancellationRequested)
        {
            await Send(HttpMethod.Post, $"/v1/vms/{vm}/start?wait=20s", null, vm);
            await Send(HttpMethod.Post, $"/v1/vms/{vm}/stop?wait=20s", null, vm);
        }
    }

    /// <summary>Asked again at the next node until it is acknowledged, or refused as what the state does not allow.</summary>
    async Task Send(HttpMethod method, string path, object? body, string? vm)
    {
        var key = Guid.NewGuid().ToString();
        var began = TimeProvider.System.GetTimestamp();
        var first = Interlocked.Increment(ref _turn);
        for (var tries = 1; ; tries++)
        {
            var last = "";
            try
            {
                using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
                request.Headers.Add("Idempotency-Key", key);
                using var response = await cluster.Nodes[(first + tries) % cluster.Nodes.Count].Http.SendAsync(request);
                last = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
                if (response.IsSuccessStatusCode)
                {
                    Needed(tries);
                    if (vm is not null)
                    {
                        _acknowledged[key] = EntityId.Vm(vm).Text;
                    }
                    return;
                }
                // A start that found its host offline is undone and refused; the other half of the pair has nothing to do then.
                if (response.StatusCode is HttpStatusCode.Conflict || last.Contains("host.offline", StringComparison.Ordinal))
                {
                    Assert.DoesNotContain("cluster.", last, StringComparison.Ordinal);
                    Assert.DoesNotContain("idempotency.", last, StringComparison.Ordinal);
                    return;
                }
                Assert.True((int)response.StatusCode is 429 or 503 or 504, $"{method} {path}: {last}");
            }
            catch (Exception lost) when (lost is HttpRequestException or TaskCanceledException)
            {
                last = lost.Message;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(began) < PatienceMax, $"{method} {path}: not acknowledged: {last}");
            await Task.Delay(100);
        }
    }

    void Needed(int tries)
    {
        while (Volatile.Read(ref _triesMax) is var most && tries > most && Interlocked.CompareExchange(ref _triesMax, tries, most) != most)
        {
        }
    }

    async Task Watch()
    {
        long? cursor = null;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, cursor is null ? "/v1/watch" : $"/v1/watch?after={cursor}");
                using var response = await cluster.Nodes[Interlocked.Increment(ref _turn) % cluster.Nodes.Count].Http
                    .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _stop.Token);
                response.EnsureSuccessStatusCode();
                using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(_stop.Token));
                // Heartbeats come every ten seconds: a node that is frozen says none.
                while (await reader.ReadLineAsync(_stop.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(15), _stop.Token) is { } line)
                {
                    if (line.StartsWith("id: ", StringComparison.Ordinal))
                    {
                        cursor = long.Parse(line[4..], CultureInfo.InvariantCulture);
                        _watched.Add(cursor.Value);
                    }
                }
            }
            catch (Exception lost) when (lost is HttpRequestException or IOException or TimeoutException or OperationCanceledException)
            {
                // The next node goes on from the cursor.
                await Task.Delay(100);
            }
        }
    }
}
