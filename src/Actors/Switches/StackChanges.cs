using System.Collections.Immutable;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// The stack of a switch changes while it lives: extensions are enabled, disabled, moved within their class (switch.md
/// 1.2, 3.8). What is attached looks at what is there and can refuse none of it; what is taken away while an OID is
/// pending at it has failed that OID, which goes on below.
/// </summary>
static class StackChanges
{
    /// <summary>What follows a new definition.</summary>
    /// <param name="before">The switch before it, or null: it is new.</param>
    /// <param name="s">The switch with the new definition.</param>
    public static ImmutableArray<SwitchEvent> After(SwitchState.Here? before, SwitchState.Here s)
    {
        var (old, now) = (before is null ? [] : Stack.Order(before.Definition), Stack.Order(s.Definition));
        var (had, has) = (Keys(old), Keys(now));
        ImmutableArray<SwitchEvent> events =
        [
            .. old.Where(extension => !has.Contains(ExtensionIds.Key(extension))).DistinctBy(ExtensionIds.Key)
                .Select(extension => new ExtensionDetached(extension.Name, extension.Class)),
            .. now.Where(extension => !had.Contains(ExtensionIds.Key(extension)) || s.Unattached.ContainsKey(ExtensionIds.Key(extension)))
                .DistinctBy(ExtensionIds.Key).Select(extension => Attach(s, extension)),
        ];
        var after = (SwitchState.Here)events.Aggregate((SwitchState)s, SwitchLifecycle.Evolve);
        return Interrupted(after) is { } resumed ? events.Add(resumed) : events;
    }

    /// <summary>Every enabled extension looks at the switch: it was activated, or its stack restarted.</summary>
    public static IEnumerable<SwitchEvent> AttachAll(SwitchState.Here s) =>
        Stack.Order(s.Definition).DistinctBy(ExtensionIds.Key).Select(extension => Attach(s, extension));

    static SwitchEvent Attach(SwitchState.Here s, ExtensionDefinition extension)
    {
        var view = Stack.View(s, Stack.Order(s.Definition).ToList().IndexOf(extension), extension);
        var answer = Stack.Contained(() => BuiltIn.All[extension.Name].Attach(view), out var defect);
        return answer is not { Fails: null }
            ? new ExtensionAttachFailed(
                extension.Name, extension.Class, answer?.Fails ?? NdisStatus.Failure, defect ?? answer?.Detail ?? "it gave no reason")
            : answer.Keeps.Count > Passage.KeepsMax + s.Ports.Count || answer.Keeps.Any(kept => kept.Value?.Length > Passage.KeptMax)
                ? new ExtensionAttachFailed(
                    extension.Name, extension.Class, NdisStatus.Resources,
                    $"it wants to keep more than {Passage.KeptMax} characters of one thing, or too many things")
            : new ExtensionAttached(extension.Name, extension.Class, view.IsActive,
                [.. answer.Keeps.Select(kept => new KeptState(ExtensionIds.Key(extension), kept.Key, kept.Value))]);
    }

    /// <summary>The OID that is pending at an extension which is not where it was goes on below it.</summary>
    static OidResumed? Interrupted(SwitchState.Here s)
    {
        if (s.Slot is not { Verdict.Pause: { } pause } slot)
        {
            return null;
        }
        var now = Stack.Attached(s).Select(ExtensionIds.Key).ToList();
        var met = pause.Order.Select(ExtensionIds.Key).ToList();
        var why = !now.Contains(met[pause.Position]) ? "was disabled or removed"
            : !met.Where(now.Contains).SequenceEqual(now.Where(met.Contains)) ? "was moved"
            : null;
        return why is null
            ? null
            : new OidResumed(slot.MessageId, slot.Request.RequestId, slot.Request.Oid, pause.Extension, null, Stack.Abandon(s, slot, why));
    }

    static HashSet<string> Keys(IEnumerable<ExtensionDefinition> extensions) => [.. extensions.Select(ExtensionIds.Key)];
}
