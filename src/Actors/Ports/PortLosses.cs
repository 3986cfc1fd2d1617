using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports;

/// <summary>
/// A port that ends with its host: the incarnation, its holds and what was proposed are over, and the host is told
/// nothing (switch.md 9.5.4, F05, F06). The next incarnation may come at once.
/// </summary>
static class PortLosses
{
    public static Decision<PortEvent> Decide(PortState state, LoseObject lose) => state switch
    {
        PortState.Absent => Decision<PortEvent>.Accept(new ObjectLost(true)),
        // What is with the host or with a NIC is answered, with a loss too: the port is judged then.
        PortState.Creating or PortState.TearingDown or PortState.Deleting or PortState.Created { Oid: not null } => Decision<PortEvent>.Refuse(
            new Refusal(RefusalKind.Unavailable, "port.busy", "An OID about this port is not completed yet; ask again after it.")),
        _ when state.BodyOrNull is { } body && body.SeenIn >= lose.Session => Decision<PortEvent>.Accept(new ObjectLost(false)),
        _ => Decision<PortEvent>.Accept([new PortLost(lose.Reason)], new ObjectLost(true), Waiters(state)),
    };

    /// <summary>What the port asked of its host, or of its NIC there, was answered with the loss.</summary>
    public static Decision<PortEvent> End(PortState state, string reason, Refusal refusal) => OidOf(state) is not { } oid
        ? Decision<PortEvent>.Ignore
        : Decision<PortEvent>.Accept([new PortLost(reason)], null, [new LateAnswer(oid.MessageId, null, refusal), .. Waiters(state)]);

    static OpenOid? OidOf(PortState state) => state switch
    {
        PortState.Creating s => s.Oid,
        PortState.Created s => s.Oid,
        PortState.TearingDown s => s.Oid,
        PortState.Deleting s => s.Oid,
        _ => null,
    };

    /// <summary>Nothing is held or in flight where there is nothing.</summary>
    static ImmutableArray<LateAnswer> Waiters(PortState state) => state.BodyOrNull?.Drain.AnswerWaiters() ?? [];
}
