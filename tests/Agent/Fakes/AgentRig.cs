using ControlPlane.DriverSimulated;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Agent.Tests.Fakes;

/// <summary>An agent of simulated host hv01, running until the test ends.</summary>
sealed class AgentRig : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();

    public AgentRig(
        Link.IAgentLink link, HostAgentOptions? options = null, TimeProvider? time = null, SimulatedDriverOptions? host = null,
        TimeProvider? hostTime = null)
    {
        Host = new SimulatedDriver("hv01", host ?? new SimulatedDriverOptions(), hostTime ?? TimeProvider.System);
        Driver = new CountingDriver(Host);
        var surroundings = new AgentSurroundings(time ?? TimeProvider.System, new Random(1), NullLogger.Instance);
        Agent = new HostAgent("hv01", Driver, link, options ?? Quick, surroundings);
        Running = Task.Run(() => Agent.Run(_stop.Token));
    }

    public static HostAgentOptions Quick { get; } = new()
    {
        ReconnectFirst = TimeSpan.FromMilliseconds(1),
        ReconnectMax = TimeSpan.FromMilliseconds(5),
        FramesPause = TimeSpan.FromMilliseconds(1),
    };

    public SimulatedDriver Host { get; }

    public CountingDriver Driver { get; }

    public HostAgent Agent { get; }

    public Task Running { get; }

    public async Task Stop()
    {
        await _stop.CancelAsync();
        await Running.Soon();
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        Agent.Dispose();
        _stop.Dispose();
    }
}
