using ControlPlane.Messages;

namespace ControlPlane.Simulation;

/// <summary>What waits for an entity's answer: a door's token for the core, and its task.</summary>
public sealed class Question(Process asker, Envelope envelope)
{
    readonly TaskCompletionSource<Answer> _answered = new();

    public Process Asker => asker;

    public Envelope Envelope => envelope;

    public Task<Answer> Answered => _answered.Task;

    public void Answer(Answer answer) => _answered.TrySetResult(answer);
}
