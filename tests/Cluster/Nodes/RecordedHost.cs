using System.Collections.Concurrent;
using ControlPlane.Agent;
using ControlPlane.Agent.Link;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Tests.Cluster.Nodes;

/// <summary>A simulated host with its agent, which counts how often each command is carried out.</summary>
sealed class RecordedHost : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<string, int> _carriedOut = new(StringComparer.Ordinal);
    readonly SimulatedDriver _driver;
    readonly AnyNodeLink _link;
    readonly HostAgent _agent;
    readonly Task _work;

    /// <param name="sockets">Of the nodes; any of them will do.</param>
    public RecordedHost(string name, IEnumerable<string> sockets)
    {
        _driver = new SimulatedDriver(name, new SimulatedDriverOptions { Fate = Record }, TimeProvider.System);
        _link = new AnyNodeLink([.. sockets.Select(GrpcAgentLink.ToSocket)], Random.Shared);
        _agent = new HostAgent(
            name, _driver, _link, new HostAgentOptions { ReconnectMax = TimeSpan.FromSeconds(2) },
            new AgentSurroundings(TimeProvider.System, Random.Shared, NullLogger.Instance));
        _work = _agent.Run(_stop.Token);
    }

    /// <summary>By command id.</summary>
    public IReadOnlyDictionary<string, int> CarriedOut => _carriedOut;

    /// <summary>What is on the host, whatever anybody believes.</summary>
    public IReadOnlyList<DeviceState> Devices => _driver.Peek();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _driver.DisposeAsync();
        _link.Dispose();
        _agent.Dispose();
        _stop.Dispose();
    }

    CommandFate Record(DriverCommand command)
    {
        _carriedOut.AddOrUpdate(command.CommandId, 1, (_, times) => times + 1);
        return CommandFate.Once;
    }
}
