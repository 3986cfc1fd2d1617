using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>
/// The way of a message from one program to another: some time, and perhaps never, twice, or after those that were sent
/// later. A program speaks to itself without it.
/// </summary>
public sealed class Network(Simulator simulator, NetworkFaults faults, Tally struck)
{
    static readonly TimeSpan Quick = TimeSpan.FromMicroseconds(200);
    static readonly TimeSpan Usual = TimeSpan.FromMilliseconds(3);
    static readonly TimeSpan Slowest = TimeSpan.FromSeconds(8);

    readonly HashSet<(string From, string To)> _cut = [];

    /// <summary>No faults any more.</summary>
    public bool Healed { get; set; }

    public bool IsCut(string from, string to) => _cut.Contains((from, to));

    /// <summary>One way.</summary>
    public void Cut(string from, string to) => _cut.Add((from, to));

    public void Mend(string from, string to) => _cut.Remove((from, to));

    public void MendAll() => _cut.Clear();

    /// <summary>A message that may be lost.</summary>
    public void Send(Process from, Process to, Action arrive)
    {
        if (ReferenceEquals(from, to))
        {
            simulator.After(TimeSpan.Zero, to, arrive);
            return;
        }
        if (IsCut(from.Name, to.Name))
        {
            struck.Count("net.cut");
            return;
        }
        if (!Healed && simulator.Luck.Happens("net.loss", faults.Loss))
        {
            struck.Count("net.lost");
            return;
        }
        simulator.After(Delay(), to, arrive);
        if (!Healed && simulator.Luck.Happens("net.twice", faults.Twice))
        {
            struck.Count("net.twice");
            simulator.After(Delay(), to, arrive);
        }
    }

    /// <summary>A question of one node to another, or its answer: on their connection, which loses nothing unless it is cut.</summary>
    public void Tell(Process from, Process to, Action arrive)
    {
        if (!IsCut(from.Name, to.Name))
        {
            simulator.After(simulator.Luck.Between("word.delay", Quick, Usual), to, arrive);
        }
    }

    /// <summary>News of who has what: as <see cref="Tell"/>, but some are held up, and others overtake them.</summary>
    public void News(Process from, Process to, Action arrive)
    {
        if (!Healed && simulator.Luck.Happens("news.slow", faults.Slow))
        {
            struck.Count("news.slow");
            simulator.After(simulator.Luck.Between("news.delay", Usual, Slowest), null, () => Tell(from, to, arrive));
            return;
        }
        Tell(from, to, arrive);
    }

    /// <summary>How long a message to a bridge is held up somewhere.</summary>
    public TimeSpan Stall(Command body) => body switch
    {
        OpenSession => Stall("net.stall", faults.Stall),
        IssueCommand => Stall("net.command-stall", faults.CommandStall),
        _ => TimeSpan.Zero,
    };

    TimeSpan Stall(string name, int often)
    {
        if (Healed || !simulator.Luck.Happens(name, often))
        {
            return TimeSpan.Zero;
        }
        struck.Count(name);
        return simulator.Luck.Between($"{name}.by", Usual, 4 * Slowest);
    }

    public TimeSpan Delay()
    {
        if (!Healed && simulator.Luck.Happens("net.slow", faults.Slow))
        {
            struck.Count("net.slow");
            return simulator.Luck.Between("net.delay", Usual, Slowest);
        }
        return simulator.Luck.Between("net.delay", Quick, Usual);
    }
}
