using System.Collections.Concurrent;
using Akka.Configuration;
using Akka.Dispatch;

namespace ControlPlane.Simulation.Shells;

/// <summary>
/// The one thread on which all actors of a system run, so that it is known when all of them are at rest. The entity runs
/// last: what it hands to another is seen before its next word.
/// </summary>
sealed class Pump : IDisposable
{
    static readonly ConcurrentDictionary<string, Pump> All = new();
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly object _gate = new();
    readonly Queue<IRunnable> _first = new();
    readonly Queue<IRunnable> _last = new();
    bool _running;
    bool _over;

    public Pump()
    {
        All[Name] = this;
        new Thread(Turn) { IsBackground = true, Name = "pump" }.Start();
    }

    public string Name { get; } = Guid.NewGuid().ToString("n");

    public static Pump Find(string name) => All[name];

    public void Add(IRunnable run, bool last)
    {
        lock (_gate)
        {
            (last ? _last : _first).Enqueue(run);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until no actor has anything to do.</summary>
    public void Drain()
    {
        lock (_gate)
        {
            while (_running || _first.Count > 0 || _last.Count > 0)
            {
                if (!Monitor.Wait(_gate, Patience))
                {
                    throw new TimeoutException("the actors do not come to rest");
                }
            }
        }
    }

    public void Dispose()
    {
        All.TryRemove(Name, out _);
        lock (_gate)
        {
            _over = true;
            Monitor.PulseAll(_gate);
        }
    }

    void Turn()
    {
        while (Take() is { } run)
        {
            run.Run();
        }
    }

    IRunnable? Take()
    {
        lock (_gate)
        {
            _running = false;
            Monitor.PulseAll(_gate);
            while (_first.Count == 0 && _last.Count == 0)
            {
                if (_over)
                {
                    return null;
                }
                Monitor.Wait(_gate);
            }
            _running = true;
            return _first.TryDequeue(out var next) ? next : _last.Dequeue();
        }
    }
}

/// <summary>How the engine gets the pump: by the name in its configuration.</summary>
public sealed class PumpConfigurator(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    public override ExecutorService Produce(string id) => new Executor(id, Pump.Find(Config.GetString("pump")), Config.GetBoolean("last"));

    sealed class Executor(string id, Pump pump, bool last) : ExecutorService(id)
    {
        public override void Execute(IRunnable run) => pump.Add(run, last);

        public override void Shutdown()
        {
        }
    }
}
