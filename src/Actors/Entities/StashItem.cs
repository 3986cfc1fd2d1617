using ControlPlane.Messages;

namespace ControlPlane.Actors.Entities;

/// <summary>Who waits for an answer: a door (the shell's token), another entity, or nobody.</summary>
sealed record Asker(object? Door, EntityId? Entity);

/// <summary>What waits to be decided.</summary>
abstract record StashItem
{
    StashItem()
    {
    }

    public sealed record Message(Envelope Envelope, Asker Asker, DateTimeOffset At) : StashItem;

    /// <summary>An answer or a timer: of interest only while its effect is owed.</summary>
    public sealed record Inner(string EffectId, Command Command) : StashItem;
}
