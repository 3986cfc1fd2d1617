using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using ControlPlane.Tests.Cluster.Nodes;

namespace ControlPlane.Tests.Cluster.Faults;

/// <summary>
/// VMs without NICs, spread over all shards: each is asked for one change at a time, and every acknowledged change is kept, to
/// be found in the journal at the end.
/// </summary>
sealed class Probes(LocalCluster cluster, int count, string host)
{
    readonly ConcurrentDictionary<string, string> _acknowledged = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Vms { get; } = [.. Enumerable.Range(0, count).Select(n => string.Create(CultureInfo.InvariantCulture, $"probe-{n}"))];

    /// <summary>Idempotency keys of what was acknowledged, with the entity that has it.</summary>
    public IReadOnlyDictionary<string, string> Acknowledged => _acknowledged;

    /// <summary>
    /// One change of each. A shard whose start was lost with its node has a new home when somebody asks for it, and until all such
    /// shards have one the engine moves none for balance: a node that was started again would get nothing.
    /// </summary>
    public Task AskAll() => Parallel.ForEachAsync(
        Vms, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (vm, _) => await Change(vm, cluster.Nodes[0], TimeSpan.FromSeconds(120)));

    /// <summary>The probes whose entities live on a node now.</summary>
    public async Task<IReadOnlyList<string>> On(NodeProcess node, NodeProcess asked)
    {
        var shown = await asked.Http.GetFromJsonAsync<JsonNode>("/v1/cluster");
        var region = shown!["regions"]!.AsArray().FirstOrDefault(region => (string)region!["region"]! == ShardIds.VmRegion);
        var shards = (region?["nodes"]!.AsArray() ?? []).Where(on => (string)on!["address"]! == node.Cluster)
            .SelectMany(on => on!["shards"]!.AsArray()).Select(shard => (string)shard!).ToHashSet();
        return [.. Vms.Where(vm => shards.Contains(ShardIds.Of(EntityId.Vm(vm))))];
    }

    /// <summary>One change, asked again under its key until it is acknowledged; how long that took.</summary>
    public async Task<TimeSpan> Change(string vm, NodeProcess by, TimeSpan within)
    {
        var key = Guid.NewGuid().ToString();
        var clock = Stopwatch.StartNew();
        string? last = null;
        while (clock.Elapsed < within)
        {
            last = await Try(vm, by, key, CancellationToken.None);
            if (last is null)
            {
                return clock.Elapsed;
            }
            await Task.Delay(50);
        }
        Assert.Fail($"{vm} by {by.Process.Name}: not acknowledged within {within}: {last}");
        return default;
    }

    /// <summary>Asks once; null: it is acknowledged. Otherwise what was said instead.</summary>
    public async Task<string?> Try(string vm, NodeProcess by, string key, CancellationToken stop)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/vms/{vm}") { Content = JsonContent.Create(new { host, nics = Array.Empty<object>() }) };
            request.Headers.Add("Idempotency-Key", key);
            using var response = await by.Http.SendAsync(request, stop);
            if (response.IsSuccessStatusCode)
            {
                _acknowledged[key] = EntityId.Vm(vm).Text;
                return null;
            }
            var said = await response.Content.ReadAsStringAsync(stop);
            Assert.True((int)response.StatusCode is 429 or 503 or 504, $"{vm}: {response.StatusCode} {said}");
            return said;
        }
        catch (Exception lost) when (lost is HttpRequestException or OperationCanceledException)
        {
            return lost.Message;
        }
    }
}
