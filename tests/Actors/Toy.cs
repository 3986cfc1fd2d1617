using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors;

/// <summary>The state of <see cref="Toy"/>: a set of holds, and whose answers are awaited.</summary>
public sealed record ToyState(ImmutableSortedSet<string> Holds, ImmutableSortedSet<string> Awaiting)
{
    public static readonly ToyState Empty = new(ImmutableSortedSet.Create<string>(StringComparer.Ordinal), ImmutableSortedSet.Create<string>(StringComparer.Ordinal));
}

/// <summary>
/// A small lifecycle over words that exist: holds are taken and released. Purposes have a meaning: "ask" leaves a
/// question to another entity open until it is answered, "late" answers when the hold is released, "boom" is a defect,
/// "busy" a transient refusal, "many" takes a hundred, "wake" asks for a wake-up, "twin" owes two effects of one id.
/// </summary>
public sealed class Toy : ILifecycle<ToyState, PortEvent>
{
    public static readonly EntityId Id = EntityId.Port("hv01", "sw", "p1");
    public static readonly EntityId Other = EntityId.Switch("hv01", "sw");
    public static readonly DateTimeOffset Dawn = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Set to false to mend the defect behind the purpose "boom".</summary>
    public static readonly AsyncLocal<bool> Mended = new();

    public static ToyState Initial(EntityId id) => ToyState.Empty;

    public static Decision<PortEvent> Decide(ToyState state, Command command, in Turn turn) => command switch
    {
        TakeHold { Purpose: "boom" } when !Mended.Value => throw new InvalidOperationException("boom"),
        TakeHold { Purpose: "busy" } => Decision<PortEvent>.Refuse(new Refusal(RefusalKind.Overloaded, "toy.busy", "Busy.")),
        TakeHold { Purpose: "many" } take => Decision<PortEvent>.Accept(
            [.. Enumerable.Range(0, 100).Select(n => Held($"{take.HoldId}-{n}", take))], new HoldTaken(take.HoldId), []),
        TakeHold take when state.Holds.Contains(take.HoldId) => Decision<PortEvent>.Refuse(Refusal.Illegal("hold.taken", "Taken.", "R1", "held")),
        TakeHold { Purpose: "late" } take => Decision<PortEvent>.Accept(null, Held(take.HoldId, take)),
        TakeHold { Purpose: "note" } take => Decision<PortEvent>.Accept(new HoldTaken(take.HoldId)),
        TakeHold take => Decision<PortEvent>.Accept(new HoldTaken(take.HoldId), Held(take.HoldId, take)),
        ReleaseHold release when !state.Holds.Contains(release.HoldId) =>
            Decision<PortEvent>.Refuse(Refusal.Illegal("hold.unknown", "No such hold.", "R4", "free")),
        ReleaseHold release => Decision<PortEvent>.Accept([new PortReleased(release.HoldId)], new Done(),
            [new LateAnswer($"late-{release.HoldId}", new HoldTaken(release.HoldId), null)]),
        AnswerArrived arrived when state.Awaiting.Contains(arrived.EffectId) => Decision<PortEvent>.Accept(null, new PortReleased(arrived.EffectId)),
        TimerElapsed elapsed when state.Awaiting.Contains(elapsed.EffectId) => Decision<PortEvent>.Accept(null, new PortReleased(elapsed.EffectId)),
        AnswerArrived or TimerElapsed => Decision<PortEvent>.Ignore,
        _ => Decision<PortEvent>.NotMine(command),
    };

    public static ToyState Evolve(ToyState state, PortEvent happened) => happened switch
    {
        PortHeld { Hold: { Purpose: "ask" or "wake" or "twin" } hold } => state with { Awaiting = state.Awaiting.Add($"{hold.Purpose}:{hold.Id}") },
        PortHeld held => state with { Holds = state.Holds.Add(held.Hold.Id) },
        PortReleased released => new(state.Holds.Remove(released.HoldId), state.Awaiting.Remove(released.HoldId)),
        _ => throw new System.Diagnostics.UnreachableException(happened.ToString()),
    };

    public static IEnumerable<Effect> Outstanding(ToyState state) => state.Awaiting.SelectMany(IEnumerable<Effect> (id) => id[..4] switch
    {
        "wake" => [new Effect.WakeAt(id, Dawn.AddSeconds(5))],
        "twin" => [new Effect.WakeAt(id, Dawn), new Effect.WakeAt(id, Dawn)],
        _ => [new Effect.Ask(id, Other, new CheckHost())],
    });

    public static Envelope Take(string hold, string purpose = "work", string? message = null) =>
        new(Id, message ?? $"take-{hold}", "operator:ann", $"corr-{hold}", new TakeHold(hold, "ann", purpose));

    public static Envelope Release(string hold, string? message = null) =>
        new(Id, message ?? $"release-{hold}", "operator:ann", $"corr-{hold}", new ReleaseHold(hold));

    public static EntityCore<Toy, ToyState, PortEvent> Core(CoreLimits? limits = null) => new(Id, limits ?? CoreLimits.For("port"));

    static PortHeld Held(string id, TakeHold take) => new(new Hold(id, take.Holder, take.Purpose, Dawn));
}
