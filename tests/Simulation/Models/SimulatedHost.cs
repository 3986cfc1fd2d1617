using System.Globalization;
using System.Runtime.CompilerServices;
using ControlPlane.Agent;
using ControlPlane.DriverAbi;
using ControlPlane.DriverSimulated;
using ControlPlane.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Simulation;

/// <summary>One virtualisation host: its data path, which outlives everything, and the agent that comes and goes on it.</summary>
sealed class SimulatedHost
{
    readonly World _world;
    readonly WatchedDriver _driver;
    int _agents;

    public SimulatedHost(World world, string name)
    {
        (_world, Name) = (world, name);
        Kernel = new Process(world.Simulator, "kernel." + name);
        Driver = new SimulatedDriver(name, new SimulatedDriverOptions
        {
            FramesMax = world.Options.Host.Drift ? 6 : 50,
            CommandTakes = TimeSpan.FromMilliseconds(1),
            Fate = _ => Fate(),
        }, Kernel.Clock);
        _driver = new WatchedDriver(name, Driver, world);
    }

    public string Name { get; }

    public Process Kernel { get; }

    public SimulatedDriver Driver { get; }

    public Process? Agent { get; private set; }

    /// <summary>It has no power.</summary>
    public bool Off { get; private set; }

    /// <summary>With its agent, and with all that was on it.</summary>
    public void TurnOff()
    {
        Off = true;
        KillAgent();
        Driver.Reboot();
        _world.Say($"{Name} is turned off");
        _world.Check.DataPath.Rebooted(Name);
    }

    public void TurnOn()
    {
        if (!Off)
        {
            return;
        }
        Off = false;
        _world.Say($"{Name} is turned on");
        StartAgent();
    }

    /// <summary>The agent's program begins, with an empty memory; there is one at most.</summary>
    public void StartAgent()
    {
        if (Off || Agent is { Alive: true })
        {
            return;
        }
        var agent = Agent = new Process(_world.Simulator, $"agent.{Name}");
        var number = ++_agents;
        agent.Run(async () =>
        {
            var program = new HostAgent(
                Name, _driver, new Link(_world, agent), new HostAgentOptions { CommandTakesMax = TimeSpan.FromSeconds(20) },
                new AgentSurroundings(agent.Clock, new ChosenRandom(_world.Simulator.Luck, $"agent.{Name}.{number}"), NullLogger.Instance));
            await program.Run(CancellationToken.None);
        });
    }

    public void KillAgent()
    {
        if (Agent is { Alive: true } agent)
        {
            agent.Kill();
            _world.BreakConnections(agent, atOnce: true);
        }
    }

    public bool FrameLost => _driver.FrameLost;

    /// <summary>What the data path has now: not asked as an agent does, which would move its place in the stream.</summary>
    public IReadOnlyList<DeviceState> Devices() => Driver.Peek();

    CommandFate Fate()
    {
        var (faults, luck) = (_world.Options.Host, _world.Simulator.Luck);
        if (_world.Healed)
        {
            return CommandFate.Once;
        }
        if (luck.Happens("driver.lost", faults.AnswerLost))
        {
            _world.Struck.Count("driver.answer-lost");
            return CommandFate.AnswerLost;
        }
        if (luck.Happens("driver.twice", faults.Twice))
        {
            _world.Struck.Count("driver.twice");
            return CommandFate.Twice;
        }
        return CommandFate.Once;
    }
}

/// <summary>The driver, with somebody who looks at each command before and after, and at each frame.</summary>
sealed class WatchedDriver(string host, SimulatedDriver inner, World world) : IDriver
{
    public string Kind => inner.Kind;

    /// <summary>Of the last that was lost nobody learns before the next one comes, or the next session.</summary>
    public bool FrameLost { get; private set; }

    public bool Fenced => inner.Fenced;

    public async IAsyncEnumerable<DriverFrame> Frames(long after, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var frame in inner.Frames(after, stop))
        {
            world.Say(string.Create(CultureInfo.InvariantCulture, $"{host}: frame {frame.StreamEpoch}:{frame.Seq} {frame.Kind} {frame.Device.NicKey}"));
            world.Check.DataPath.Emitted(host, frame);
            if (!world.Healed && world.Simulator.Luck.Happens("driver.frame", world.Options.Host.FrameLost))
            {
                world.Struck.Count("driver.frame-lost");
                FrameLost = true;
                continue;
            }
            yield return frame;
        }
    }

    public async Task<Completion> Command(DriverCommand command, CancellationToken stop)
    {
        world.Check.Commanded(host, command);
        var completion = await inner.Command(command, stop);
        world.Check.Completed(host, command, completion);
        return completion;
    }

    public Task<Inventory> Snapshot(CancellationToken stop) => inner.Snapshot(stop);

    public Task Fences(IReadOnlyDictionary<string, long> highestEpochs, CancellationToken stop) => inner.Fences(highestEpochs, stop);

    public Task Suspend(CancellationToken stop) => inner.Suspend(stop);

    public Task Resume(CancellationToken stop) => inner.Resume(stop);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
