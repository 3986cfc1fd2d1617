using System.Collections.Immutable;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>The illegal requests of one caller in the second that begins with the first of them.</summary>
/// <param name="Caller">Whom they are counted for: who asked, or <see cref="Rejections.Others"/>.</param>
/// <param name="Recorded">How many were recorded one by one.</param>
/// <param name="Coalesced">How many were only counted, from <paramref name="First"/> to <paramref name="Last"/>.</param>
/// <param name="Reasons">Why these were refused, in order of appearance.</param>
public sealed record RejectionWindow(
    string Caller, DateTimeOffset Since, int Recorded, int Coalesced, DateTimeOffset First, DateTimeOffset Last,
    ImmutableArray<RejectionReason> Reasons)
{
    public static RejectionWindow Begun(string caller, DateTimeOffset at) => new(caller, at, 1, 0, at, at, []);

    /// <summary>True when the second has passed, or the clock was set back: nothing waits for a time that may be far off.</summary>
    public bool OverAt(DateTimeOffset now) => now < Since || now >= Ends;

    public DateTimeOffset Ends => Since + Rejections.Window;

    /// <summary>One more that is only counted.</summary>
    public RejectionWindow Counted(OidRejectionCounted e) => this with
    {
        Coalesced = Coalesced + 1,
        First = Coalesced == 0 ? e.At : First,
        Last = e.At,
        Reasons = Reasoned(e.Code, e.Rule),
    };

    ImmutableArray<RejectionReason> Reasoned(string code, string? rule)
    {
        var known = Reasons.FirstOrDefault(reason => reason.Code == code && reason.Rule == rule);
        return known is not null ? Reasons.Replace(known, known with { Count = known.Count + 1 })
            : Reasons.Length < Rejections.ReasonsMax - 1 || code == Rejections.Others ? Reasons.Add(new RejectionReason(code, rule, 1))
            : Reasoned(Rejections.Others, null);
    }
}

/// <summary>
/// The audit of illegal requests, OIDs and others. Each is answered and its answer recorded, so that a repeat gets the same; but of one
/// caller only so many a second are recorded whole. The others are counted in the state, one small event each, and come
/// to one event when the second is over (api.md 4). The count is a fold of stored events and its end is owed work: a
/// restart in between loses none of it, and brings the event late at worst.
/// </summary>
public static class Rejections
{
    /// <summary>Illegal requests of one caller that are recorded one by one in a second (api.md 4).</summary>
    public const int IndividualMax = 10;

    public static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    /// <summary>Callers that are counted apart in one second; further ones are counted together, as <see cref="Others"/>.</summary>
    public const int CallersMax = 64;

    /// <summary>Reasons that one event tells apart; the last of them is <see cref="Others"/> when there are more.</summary>
    public const int ReasonsMax = 16;

    /// <summary>Stands for what is over a bound. No caller and no code has this name: both consist of parts.</summary>
    public const string Others = "others";

    /// <summary>
    /// A request that the switch itself refuses for good is audited as an illegal OID is. Definitions are not: what is
    /// wrong with one is its author's affair, and changes nothing that an audit is about.
    /// </summary>
    public static Decision<SwitchEvent> Audited(SwitchState state, Command command, Decision<SwitchEvent> decision, in Turn turn)
    {
        if (decision is not Decision<SwitchEvent>.Refused { Refusal: { Transient: false } refusal } || state is not SwitchState.Here s
            || command is DefineSwitch)
        {
            return decision;
        }
        var (id, now, request) = (turn.MessageId, turn.Now, StoredNames.Kind(StoredNames.Of(command)));
        return Decision<SwitchEvent>.Accept(
            Record(s, id, refusal, turn.Who, now, counted => new RequestRejected(id, request, refusal, counted, now)), null,
            [new LateAnswer(id, null, refusal)]);
    }

    /// <summary>What is stored of an illegal OID: all of it, or, over the rate, that there was one more.</summary>
    /// <param name="caller">Null when an older release queued the OID: recorded whole.</param>
    public static ImmutableArray<SwitchEvent> Record(SwitchState.Here s, OidRejected rejected, string? caller, DateTimeOffset now) =>
        caller is null
            ? [rejected]
            : Record(s, rejected.MessageId, rejected.Refusal, caller, now, counted => rejected with { Caller = counted, At = now });

    static ImmutableArray<SwitchEvent> Record(
        SwitchState.Here s, string messageId, Refusal refusal, string caller, DateTimeOffset now, Func<string, SwitchEvent> whole)
    {
        var counted = Find(s, caller) is null && s.Rejections.Count(window => !Forgotten(window, now)) >= CallersMax ? Others : caller;
        var window = Find(s, counted);
        return window is null ? [whole(counted)]
            : window.OverAt(now) ? [.. Told([window]), whole(counted)]
            : window.Recorded < IndividualMax ? [whole(counted)]
            : [new OidRejectionCounted(messageId, counted, now, refusal.Code, refusal.Rule)];
    }

    /// <summary>The counts whose second is over.</summary>
    public static ImmutableArray<SwitchEvent> Due(SwitchState.Here s, DateTimeOffset now) =>
        Told(s.Rejections.Where(window => window.OverAt(now)));

    /// <summary>All counts: the switch goes.</summary>
    public static ImmutableArray<SwitchEvent> All(SwitchState.Here s) => Told(s.Rejections);

    /// <summary>The wake-ups at which counts are told. What was recorded whole needs none.</summary>
    public static IEnumerable<Effect> Outstanding(SwitchState.Here s) =>
        s.Rejections.Where(window => window.Coalesced > 0)
            .Select(window => new Effect.WakeAt($"rejections:{window.Caller}:{window.Since.UtcTicks}", window.Ends));

    public static SwitchState.Here Recorded(SwitchState.Here s, OidRejected e) =>
        e is { Caller: { } caller, At: { } at } ? Recorded(s, caller, at) : s;

    public static SwitchState.Here Recorded(SwitchState.Here s, RequestRejected e) => Recorded(s, e.Caller, e.At);

    static SwitchState.Here Recorded(SwitchState.Here s, string caller, DateTimeOffset at)
    {
        var window = Find(s, caller) is { } open && !open.OverAt(at)
            ? open with { Recorded = open.Recorded + 1 }
            : RejectionWindow.Begun(caller, at);
        return s with { Rejections = [.. s.Rejections.Where(other => other.Caller != caller && !Forgotten(other, at)), window] };
    }

    public static SwitchState.Here Counted(SwitchState.Here s, OidRejectionCounted e) =>
        s with { Rejections = [.. s.Rejections.Select(window => window.Caller == e.Caller ? window.Counted(e) : window)] };

    public static SwitchState.Here Coalesced(SwitchState.Here s, OidRejectionsCoalesced e) =>
        s with { Rejections = s.Rejections.RemoveAll(window => window.Caller == e.Caller) };

    static RejectionWindow? Find(SwitchState.Here s, string caller) => s.Rejections.FirstOrDefault(window => window.Caller == caller);

    static bool Forgotten(RejectionWindow window, DateTimeOffset now) => window.Coalesced == 0 && window.OverAt(now);

    static ImmutableArray<SwitchEvent> Told(IEnumerable<RejectionWindow> windows) =>
        [.. windows.Where(window => window.Coalesced > 0).Select(window =>
            new OidRejectionsCoalesced(window.Caller, window.Coalesced, window.First, window.Last, window.Reasons))];
}
