using System.Collections.Immutable;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>
/// What keeps a DELETE waiting (switch.md 3.6): references as data, and what is in flight. Immutable; the same for a
/// port and for a NIC.
/// </summary>
/// <param name="Waiters">Messages that wait for the gate, oldest first.</param>
/// <param name="Stuck">The alarm for this wait was raised.</param>
public sealed record Drain(
    ImmutableSortedDictionary<string, Hold> Holds,
    int Packets,
    int Oids,
    ImmutableArray<string> Waiters,
    DateTimeOffset? Since,
    bool Stuck)
{
    /// <summary>After this long a wait is reported as stuck, with its holders; nothing is forced (switch.md 9.7).</summary>
    public static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(30);

    /// <summary>References that one port or NIC may carry; the next is refused with hold.limit.</summary>
    public const int HoldsMax = 1_000;

    public static readonly Drain Empty = new(ImmutableSortedDictionary.Create<string, Hold>(StringComparer.Ordinal), 0, 0, [], null, false);

    public bool Open => Holds.IsEmpty && Packets == 0 && Oids == 0;

    public DrainReport Report => new([.. Holds.Values], Packets, Oids);

    public Drain Held(Hold hold) => this with { Holds = Holds.Add(hold.Id, hold) };

    public Drain Released(string holdId) => this with { Holds = Holds.Remove(holdId) };

    public Drain InFlight(int packets, int oids) => this with { Packets = packets, Oids = oids };

    public Drain Deferred(string messageId, DateTimeOffset since) =>
        this with { Waiters = Waiters.Add(messageId), Since = Since ?? since };

    public Drain Drained() => this with { Waiters = [], Since = null, Stuck = false };

    /// <summary>The answers to all that wait.</summary>
    public ImmutableArray<LateAnswer> AnswerWaiters() => [.. Waiters.Select(waiter => new LateAnswer(waiter, new GateOpen(), null))];

    /// <summary>The wake-up that raises the alarm.</summary>
    public IEnumerable<Effect> Outstanding() =>
        Since is { } since && !Stuck ? [new Effect.WakeAt($"drain:{since.UtcTicks}", since + StuckAfter, StuckAfter)] : [];

    /// <summary>One sentence for a person.</summary>
    public string InWords =>
        $"{Holds.Count} holds{(Holds.IsEmpty ? "" : $" ({string.Join(", ", Holds.Values.Select(hold => hold.Holder))})")}, {Packets} packets and {Oids} OIDs in flight";
}
