using System.Security.Cryptography;
using System.Text;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>The process that is killed: entities append without pause and print what was acknowledged.</summary>
static class Appender
{
    public static async Task<int> Run(string path, string round, int entities)
    {
        using var file = JournalFile.Open(path);
        await using var node = await JournalNode.Start(file);
        await Task.WhenAll(Enumerable.Range(0, entities).Select(i => AppendForEver(node, $"entity-{i}", round)));
        return 0;
    }

    public static string TextOf(string id, long sequenceNr, string round) =>
        $"{round}/{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{id}/{sequenceNr}/{round}")))}";

    static async Task AppendForEver(JournalNode node, string id, string round)
    {
        var entity = node.Entity(id);
        var next = (await JournalNode.Read(entity)).Length + 1L;
        while (true)
        {
            var answer = await JournalNode.Append(entity, TextOf(id, next, round));
            if (!answer.Stored)
            {
                throw new InvalidOperationException($"{id} could not append", answer.Failure);
            }

            // One write call with the newline: a line that is there is a whole line.
            Console.Out.Write($"{id} {answer.SequenceNr} {round}\n");
            Console.Out.Flush();
            next++;
        }
    }
}
