using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// The ordered extensions of a switch: capture, filter, forward, and below them the miniport edge (switch.md 1.2). The
/// way down is one pure turn, unless an extension pends the OID: then it stops there, as a state, and goes on when that
/// extension answers or is taken away. The way up is known when the edge, or whoever ended it, has answered (switch.md 3.5).
/// </summary>
public static class Stack
{
    /// <summary>The enabled extensions, top first. The definition's order holds within a class.</summary>
    public static IReadOnlyList<ExtensionDefinition> Order(SwitchDefinition definition) =>
        [.. definition.Extensions.Where(extension => extension.Enabled).OrderBy(extension => extension.Class)];

    /// <summary>The extensions that take part: enabled, and attached.</summary>
    public static IReadOnlyList<ExtensionDefinition> Attached(SwitchState.Here s) =>
        [.. Order(s.Definition).Where(extension => !s.Unattached.ContainsKey(ExtensionIds.Key(extension)))];

    public static string UseKey(int position, int index) => string.Create(CultureInfo.InvariantCulture, $"{position}/{index}");

    /// <summary>Sends the OID down until an extension ends or pends it, or the edge is reached.</summary>
    /// <param name="runtime">NIC_SAVE: what the NIC's data path has gathered.</param>
    /// <param name="known">The extensions by name; null: those that are built in.</param>
    public static StackVerdict Down(
        SwitchState.Here s, OidRequest request, NicRuntime? runtime = null, IReadOnlyDictionary<string, IExtension>? known = null) =>
        new Passage(s, request, runtime, known ?? BuiltIn.All, Attached(s), StackVerdict.Empty).From(0);

    /// <summary>The extension that had pended the OID has answered: SUCCESS passes it on, an error is its refusal.</summary>
    public static StackVerdict Resume(
        SwitchState.Here s, SlotOid slot, NdisStatus answer, IReadOnlyDictionary<string, IExtension>? known = null) =>
        Passed(s, slot, known).After(slot.Verdict.Pause!, new ExtensionAnswer(Completes: answer == NdisStatus.Success ? null : answer));

    /// <summary>The extension that had pended the OID is not where it was: that is on record, and the OID goes on below.</summary>
    public static StackVerdict Abandon(
        SwitchState.Here s, SlotOid slot, string why, IReadOnlyDictionary<string, IExtension>? known = null) =>
        Passed(s, slot, known).Without(slot.Verdict.Pause!, why);

    static Passage Passed(SwitchState.Here s, SlotOid slot, IReadOnlyDictionary<string, IExtension>? known) =>
        new(s, slot.Request, slot.Runtime, known ?? BuiltIn.All, slot.Verdict.Pause!.Order, slot.Verdict);

    /// <summary>The whole trace: down, the edge if it was reached, and up with the status that everybody sees.</summary>
    /// <param name="edge">The edge gave the status although an extension had ended the OID: it found the OID wrong.</param>
    public static ImmutableArray<TraceStep> WholeTrace(StackVerdict verdict, NdisStatus status, bool edge = false)
    {
        var trace = verdict.Trace.ToImmutableArray();
        var last = verdict.Refused?.Position ?? verdict.Completed?.Position;
        if (last is null || edge)
        {
            trace = trace.Add(new TraceStep(RefusedBy.EdgePosition, RefusedBy.EdgeName, TraceDirection.Down, status));
        }
        var up = verdict.Trace
            .Where(step => last is null || step.Position < last)
            .Reverse()
            .Select(step => step with { Direction = TraceDirection.Up, Status = status });
        return trace.AddRange(up);
    }

    /// <summary>
    /// Who undoes after a refusal: the extensions above the refuser that had agreed, nearest to it first (switch.md 9.3.2).
    /// </summary>
    public static IEnumerable<TraceStep> Undo(OidRequest request, StackVerdict verdict, NdisStatus status) =>
        status == NdisStatus.Success || !request.Oid.Refusable
            ? []
            : WholeTrace(verdict, status).Where(step => step.Direction == TraceDirection.Up);

    /// <summary>Whatever an extension throws is its own defect, contained here alone; the text says what it was.</summary>
    internal static T? Contained<T>(Func<T> call, out string? defect)
        where T : class
    {
        try
        {
            defect = null;
            return call();
        }
#pragma warning disable CA1031 // An extension may throw anything; it is recorded as its fault by whoever called.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            defect = $"{thrown.GetType().Name}: {thrown.Message}";
            return null;
        }
    }

    /// <summary>What an extension sees.</summary>
    internal static StackView View(SwitchState.Here s, int position, ExtensionDefinition extension)
    {
        return new StackView(position, extension.Settings ?? new ExtensionSettings(), s.Ports, s.Used)
        {
            Class = extension.Class,
            Id = ExtensionIds.Guid(extension),
            IsActive = s.Stage == SwitchStage.Ready,
            Properties = s.Properties,
            Kept = s.Kept.TryGetValue(ExtensionIds.Key(extension), out var kept) ? kept : None<string>.ByName,
        };
    }
}
